"""`watcherd status`: how the service and its inboxes are doing."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from watcherd import views
from watcherd.cli import output, settings

_HEADING = ("INBOX", "WAITING", "OLDEST", "IN WORK", "DONE", "FAILED", "WATCH", "NOTE")


@click.command()
@output.json_option
def command(*, as_json: bool) -> None:
    """Show whether the daemon runs, and of each inbox what waits, is in work, done, and failed.

    Ends with 1 if the daemon does not run or something is the matter.
    """
    config, now = settings(), time.time()
    ledger = views.open_ledger(config)
    shown = views.status(config, ledger, now)
    troubles = views.troubles(shown)
    if as_json:
        output.print_json(shown | {"troubles": troubles})
    else:
        _print(shown, troubles, now)
    sys.exit(1 if troubles else 0)


def _print(shown: dict[str, Any], troubles: list[str], now: float) -> None:
    daemon = shown["daemon"]
    if daemon["running"]:
        since = output.since(daemon["started"], now)
        click.echo(f"{output.paint('running', 'green')} for {since}, pid {daemon['pid']}")
    for trouble in troubles:
        click.echo(output.paint(output.name(trouble), "red"))
    output.table(_HEADING, [_row(inbox, now) for inbox in shown["inboxes"]])


def _row(inbox: dict[str, Any], now: float) -> tuple[str, ...]:
    note = "paused" if inbox["paused"] else "trouble" if inbox["trouble"] else ""
    return (
        inbox["inbox"],
        str(inbox["waiting"]),
        output.since(inbox["oldest"], now),
        str(inbox["in_work"]),
        str(inbox["done"]),
        str(inbox["failed"]),
        inbox["watch"] or "",
        note,
    )
