"""The command `watcherd`: one verb a file, imported when it is called.

Exit codes: 0 ok, 1 the work failed, 2 usage, 3 configuration, 4 environment.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

import watcherd
from watcherd import config
from watcherd.errors import ConfigError, EnvironmentFault, WatcherdError
from watcherd.naming import display

if TYPE_CHECKING:
    from watcherd.config import Config

VERBS = {
    "init": "Write a commented configuration.",
    "up": "Run everything in one go: broker, workers, daemon.",
    "run": "Run the daemon.",
    "worker": "Run a worker.",
    "check": "Check configuration and machine.",
    "status": "Show how the service and its inboxes are doing.",
    "jobs": "List files that wait, and jobs.",
    "show": "Show one job with its history.",
    "explain": "Say why a file is waiting, ignored, a duplicate, failed.",
    "retry": "Take failed or cancelled jobs up again.",
    "cancel": "Cancel jobs.",
    "pause": "Stop claiming from inboxes.",
    "resume": "Claim from paused inboxes again.",
    "ocr": "Turn files into searchable PDFs now, without daemon or broker.",
}
"""Verb to one line of help; its function is `watcherd.cli.<verb>.command`."""


class _Verbs(click.Group):
    """Imports a verb when it is called: the daemon must not load what only others need."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"watcherd.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config", "-c", "file", type=click.Path(path_type=Path), help="The configuration file."
)
@click.version_option(watcherd.__version__, prog_name="watcherd")
def root(file: Path | None) -> None:
    """Turn folders into a document service.

    A scan dropped into an inbox comes out of an outbox as a searchable PDF.
    """
    if file is not None:
        # Children (workers, the daemon of `up`) find it the same way.
        os.environ[config.VARIABLE] = str(file.absolute())


def settings() -> Config:
    """Return the configuration in force, for a verb."""
    return config.load()


def main() -> None:
    """Run the command line and end the program with its exit code."""
    try:
        root(prog_name="watcherd")
    except ConfigError as error:
        for problem in error.problems:
            click.echo(f"watcherd: {problem}", err=True)
        sys.exit(error.exit_code)
    except WatcherdError as error:
        click.echo(f"watcherd: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # `watcherd jobs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        name = error.filename
        place = f"{display(os.fspath(name))}: " if isinstance(name, str | bytes | Path) else ""
        click.echo(f"watcherd: {place}{error.strerror or error}", err=True)
        sys.exit(EnvironmentFault.exit_code)
