"""The embedded broker, started as the service starts it."""

from __future__ import annotations

import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from needs import needs

from watcherd import broker
from watcherd.errors import EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watcherd.config import Config


@contextmanager
def embedded(config: Config) -> Iterator[subprocess.Popen[bytes]]:
    """Run the broker of a configuration until the end of the block."""
    needs("redis-server")
    broker.socket_path(config).parent.mkdir(parents=True)
    with subprocess.Popen(broker.server_command(config), stdout=subprocess.PIPE) as server:
        window, end = broker.Window(config), time.monotonic() + 20
        while True:
            try:
                window.ping()
                break
            except EnvironmentFault:
                assert time.monotonic() < end, "the broker did not start"
                assert server.poll() is None, "the broker ended"
        yield server
        server.kill()
