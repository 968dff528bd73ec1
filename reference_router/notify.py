"""Tell systemd how a daemon is (sd_notify(3)), if systemd has started it. Shell."""

import contextlib
import os
import socket


def notify(state: str) -> None:
    """Send `state`, such as READY=1; do nothing where nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]  # an abstract socket
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as end,
    ):
        end.setblocking(False)  # a supervisor waits for nobody
        end.sendto(state.encode(), address)
