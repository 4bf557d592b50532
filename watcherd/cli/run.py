"""`watcherd run`: the daemon."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import click

from watcherd import log
from watcherd.cli import settings
from watcherd.daemon import Daemon
from watcherd.errors import EnvironmentFault

if TYPE_CHECKING:
    from types import FrameType


@click.command()
@click.option("--until-idle", is_flag=True, help="End when nothing is left to be done.")
def command(*, until_idle: bool) -> None:
    """Run the daemon: watch the inboxes, claim what has settled, file what is done.

    It needs a broker and at least one worker; `watcherd up` starts all of them.
    """
    config = settings()
    log.setup(config.log, config.log_level, unit="daemon")
    daemon = Daemon(config)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        daemon.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    daemon.run(until_idle=until_idle)
    if until_idle and daemon.unopened:
        raise EnvironmentFault(f"not opened: {', '.join(daemon.unopened)}; the log says why")
    sys.exit(1 if until_idle and daemon.failed else 0)
