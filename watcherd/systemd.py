"""The service manager's notification protocol, see sd_notify(3); silent where there is none."""

from __future__ import annotations

import os
import socket


def notify(state: str) -> bool:
    """Tell the service manager, such as `READY=1` or `WATCHDOG=1`; False if nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
        try:
            out.sendto(state.encode(), address)
        except OSError:
            return False
    return True
