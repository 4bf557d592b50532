"""`watcherd up`: everything in one go."""

from __future__ import annotations

import sys

import click

from watcherd import log
from watcherd.cli import settings
from watcherd.supervise import Supervisor


@click.command()
@click.option("--until-idle", is_flag=True, help="End when nothing is left to be done.")
def command(*, until_idle: bool) -> None:
    """Run broker, workers and daemon as children of this command.

    With the broker “embedded”, a private Redis is started on a unix socket below the state
    directory. Ends with 1 if --until-idle is given and a document failed.
    """
    config = settings()
    log.setup(config.log, config.log_level, unit="up")
    sys.exit(Supervisor(config, until_idle=until_idle).run())
