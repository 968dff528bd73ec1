"""An engine's session with the witness: takes there what the core asks, and back. Shell."""

import select
from collections.abc import Callable

from reference_router.commands import Outbox
from reference_router.link import Link
from reference_router.votes import Witness
from reference_router.witness_messages import WitnessMessage, decode, encode


class WitnessClient:
    """The engine's end. A witness that is away is in nobody's way: the core goes on without."""

    def __init__(
        self,
        address: str,
        *,
        key: bytes,
        witness: Witness,
        outbox: Outbox,
        epoll: select.epoll,
        say: Callable[[str], None],
    ) -> None:
        self._link: Link[WitnessMessage] = Link(
            address, listens=False, epoll=epoll, key=key, encode=encode, decode=decode
        )
        self._witness = witness
        self._outbox = outbox
        self._say = say
        self._was_up = False

    def hear(self, now_ns: int) -> None:
        """Go on towards a session, and take what the witness says."""
        link = self._link
        self._see_end()
        if link.connect(now_ns):
            self._was_up = True
            self._witness.up(now_ns)
        if news := link.news():
            self._say(f"witness: no session: {news}")
        for message in link.receive():
            self._witness.take(message, now_ns)
        self._see_end()

    def flush(self) -> None:
        """Send what the core asks."""
        outbox = self._outbox
        if outbox.to_witness:
            asked, outbox.to_witness = outbox.to_witness, []
            self._link.send(asked)
        if outbox.refuse_witness:
            why, outbox.refuse_witness = outbox.refuse_witness, ""
            self._link.close(why)
            self._see_end()

    def _see_end(self) -> None:
        if self._was_up and not self._link.up:
            self._was_up = False
            self._say(f"witness: session ended: {self._link.closed_why}")
            self._outbox.to_witness.clear()
            self._witness.down()
