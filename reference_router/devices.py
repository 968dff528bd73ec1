"""The TCMU devices of one engine over their life: made, handed over, buried, removed. Shell."""

import os
import select
import threading
from collections.abc import Callable
from pathlib import Path

from reference_router import configfs
from reference_router.config import EngineTable, RouterConfig
from reference_router.configfs import ConfigfsError
from reference_router.ring import RingError
from reference_router.tombstone import Tombstone
from reference_router.transport import transport_of

_REMOVE_LIMIT_S = 60.0
_POLL_S = 0.05


class Devices:
    """What a supervisor owns in the kernel. `epoll` gets the tombstones' descriptors."""

    def __init__(
        self,
        config: RouterConfig,
        engine: EngineTable,
        *,
        sizes: dict[str, int],
        epoll: select.epoll,
        say: Callable[[str], None],
    ) -> None:
        self._config = config
        self._transport = transport_of(config, engine)
        self._devices = configfs.devices_of(config, engine, sizes, self._transport.place)
        self._epoll = epoll
        self._say = say
        self._reset_fds: dict[str, int] = {}
        self._tombstones: dict[int, Tombstone] = {}  # by descriptor
        self._exporting: threading.Thread | None = None
        self.nodes: dict[str, str] = {}
        """/dev/uioN by "unit/host"."""
        self.exported = False

    @property
    def buried(self) -> bool:
        """Tell whether tombstones answer."""
        return bool(self._tombstones)

    def move_to(self, epoll: select.epoll) -> None:
        """Poll tombstones by another epoll from now on."""
        self._epoll = epoll
        for fd in self._tombstones:
            epoll.register(fd, select.EPOLLIN | select.EPOLLET)

    def clean_up(self) -> None:
        """Remove what an earlier supervisor left behind. Raises ConfigfsError, OSError."""
        if any(device.backstore.exists() for device in self._devices):
            self._say("removing what an earlier supervisor left")
            self._find()
            self.remove()

    def create(self) -> None:
        """Make the devices, not exported yet. Raises ConfigfsError."""
        for device in self._devices:
            configfs.create(device, self._config)
        self._find()

    def hand_over(self) -> None:
        """End the tombstones, so that an engine can open the devices."""
        for fd, tombstone in self._tombstones.items():
            self._epoll.unregister(fd)
            tombstone.close()
        self._tombstones.clear()

    def reset(self) -> None:
        """Empty all rings: what is in them fails, and nothing of it can be replayed."""
        for fd in self._reset_fds.values():
            os.write(fd, configfs.RESET_FAIL)

    def bury(self) -> None:
        """Answer for an engine that is dead. Does nothing where that is done already."""
        if self._tombstones:
            return
        self.reset()
        for key, node in self.nodes.items():
            try:
                tombstone = Tombstone(Path(node), self._reset_fds[key])
            except (OSError, RingError) as error:
                self._say(f"{key}: no tombstone: {error}")
                continue
            self._tombstones[tombstone.fileno()] = tombstone
            self._epoll.register(tombstone.fileno(), select.EPOLLIN | select.EPOLLET)
            tombstone.answer()

    def answer(self, fd: int) -> bool:
        """Let the tombstone of this descriptor answer; tell whether there is one."""
        tombstone = self._tombstones.get(fd)
        if tombstone is None:
            return False
        tombstone.answer()
        return True

    def export(self) -> None:
        """Begin to export to the hosts, once. Beside the loop, for hosts scan meanwhile."""
        if self._exporting is None:
            self._exporting = threading.Thread(target=self._export, daemon=True)
            self._exporting.start()

    def remove(self) -> None:
        """Remove everything, answering commands meanwhile, and wait for it up to a minute.

        Raises ConfigfsError if something is left.
        """
        if self._exporting is not None:
            self._answer_while(self._exporting)
        self.bury()
        worker = threading.Thread(target=self._remove_exports, daemon=True)
        worker.start()
        self._answer_while(worker)
        self.hand_over()
        for fd in self._reset_fds.values():
            os.close(fd)
        self._reset_fds.clear()
        self.exported, self._exporting = False, None
        for device in self._devices:
            try:
                configfs.remove_backstore(device)
            except OSError as error:
                raise ConfigfsError(f"{device.backstore}: not removed: {error.strerror}") from error

    def _find(self) -> None:
        for device in self._devices:
            if (device.backstore / "action").exists():
                self.nodes[device.key] = str(configfs.uio_node(device))
                self._reset_fds[device.key] = configfs.open_reset(device)

    def _export(self) -> None:
        try:
            for device in self._devices:
                self._transport.export(device)
            self._transport.open()
        except (ConfigfsError, OSError) as error:
            self._say(f"not exported: {error}")
            return
        self.exported = True
        self._say("exported to the hosts")

    def _remove_exports(self) -> None:
        try:
            self._transport.close()
        except ConfigfsError as error:
            self._say(f"not closed: {error}")
        for device in self._devices:
            try:
                self._transport.remove(device)
            except OSError as error:
                self._say(f"{device.lun_folder}: not removed: {error.strerror}")

    def _answer_while(self, worker: threading.Thread) -> None:
        for _ in range(int(_REMOVE_LIMIT_S / _POLL_S)):
            if not worker.is_alive():
                return
            for fd, _ in self._epoll.poll(_POLL_S):
                self.answer(fd)
