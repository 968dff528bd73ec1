"""A relay in the way of the link: the one cable that both engines live through the loss of.

Engine 1 listens on a Unix socket; its name is moved aside and a relay listens in its place. To kill
the relay is to cut the cable: both engines see the end of the stream. To stop it is a cable that
swallows everything.
"""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

from certify.virtual_lab import layout

PLACE = layout.RUN / "link-1.sock"
ASIDE = layout.RUN / "link-1-behind-relay.sock"
CHUNK_BYTES = 65536


class Relay:
    """The relay's process, while the link is led through it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def install(self) -> None:
        """Take the place of engine 1's socket; for connections from now on."""
        PLACE.rename(ASIDE)
        self.start()

    def start(self) -> None:
        """Relay."""
        PLACE.unlink(missing_ok=True)
        argv = [sys.executable, "-m", "tests.lab.in_guest.relay", str(PLACE), str(ASIDE)]
        self._process = subprocess.Popen(argv, stdout=subprocess.PIPE)
        if self._process.stdout is not None:
            self._process.stdout.readline()

    def signal(self, number: int) -> None:
        """Send a signal to the relay."""
        if self._process is not None:
            self._process.send_signal(number)  # does nothing where it has ended
            if number == signal.SIGKILL:
                self._process.wait()

    def remove(self) -> None:
        """End the relay and give engine 1 its place back; the session that went through it ends."""
        self.signal(signal.SIGKILL)
        PLACE.unlink(missing_ok=True)
        ASIDE.rename(PLACE)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        return
    finally:
        writer.close()


async def _relay(place: Path, aside: Path) -> None:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            behind_reader, behind_writer = await asyncio.open_unix_connection(str(aside))
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pass_on(reader, behind_writer), _pass_on(behind_reader, writer))

    server = await asyncio.start_unix_server(accept, str(place))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_relay(Path(sys.argv[1]), Path(sys.argv[2])))
