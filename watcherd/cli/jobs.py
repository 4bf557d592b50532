"""`watcherd jobs`: files that wait, and jobs."""

from __future__ import annotations

import time
from typing import Any

import click

from watcherd import views
from watcherd.cli import output, settings

_HEADING = ("JOB", "STATE", "INBOX", "AGE", "PAGES", "SOURCE", "WHAT")


@click.command()
@click.option(
    "--state",
    "-s",
    "states",
    multiple=True,
    type=click.Choice(views.STATES),
    help="Only of this state; may be given more than once.",
)
@click.option("--inbox", "-i", help="Only of this inbox.")
@click.option("--review", is_flag=True, help="Only documents that somebody should look over.")
@click.option(
    "--limit",
    "-n",
    type=click.IntRange(0),
    default=50,
    show_default=True,
    help="At most so many; 0 for all.",
)
@output.json_option
def command(
    *, states: tuple[str, ...], inbox: str | None, review: bool, limit: int, as_json: bool
) -> None:
    """List jobs in work, then files that wait, then what has ended, the newest first."""
    config, now = settings(), time.time()
    if inbox is not None:
        config.inbox(inbox)
    ledger = views.open_ledger(config)
    rows = (
        []
        if ledger is None
        else views.jobs(
            ledger, states=states, inbox=inbox, limit=limit or None, review=review, now=now
        )
    )
    if as_json:
        output.print_json(rows)
        return
    if rows:
        output.table(_HEADING, [_row(row, now) for row in rows], state=1)
    elif output.on_terminal():
        output.say("nothing yet" if ledger is None else "nothing to show")
    if limit and len(rows) == limit and output.on_terminal():
        output.say(f"the first {limit} are shown; --limit 0 shows all")
    if (
        ledger
        and not review
        and (not states or "waiting" in states)
        and (more := views.unlisted(ledger, inbox))
    ):
        output.say(f"{more} more files wait; they are counted and not listed")


def _row(row: dict[str, Any], now: float) -> tuple[str, ...]:
    progress = row["progress"]
    current, total = progress["current"], progress["total"]
    if output.on_terminal() and row["state"] == "running":
        pages = output.bar(current, total)
    else:
        pages = f"{current}/{total}" if total else ""
    return (
        row["job"] or "-",
        row["state"],
        row["inbox"],
        output.since(row["finished"] or row["created"], now),
        pages,
        output.name(row["source"]),
        _what(row),
    )


def _what(row: dict[str, Any]) -> str:
    """Return the one thing worth knowing: where it is, why it failed, what it waits for."""
    if row["outputs"]:
        more = len(row["outputs"]) - 1
        last: str = output.name(row["outputs"][-1])
        if output.on_terminal():
            last = last.rpartition("/")[2]
        doubt = " (look it over)" if row["review"] else ""
        return last + (f" and {more} more" if more else "") + doubt
    if row["reason"]:
        return output.name(row["reason"])
    return row["stage"] or ""
