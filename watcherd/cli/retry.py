"""`watcherd retry`: take failed or cancelled jobs up again."""

from __future__ import annotations

import click

from watcherd.cli import asking, output, settings
from watcherd.lifecycle import State


@click.command()
@click.argument("jobs", metavar="[JOB…]", nargs=-1)
@click.option("--failed", is_flag=True, help="All that have failed.")
@click.option("--inbox", "-i", help="With --failed: only of this inbox.")
def command(*, jobs: tuple[str, ...], failed: bool, inbox: str | None) -> None:
    """Take failed or cancelled jobs up again, with the pages that are done already.

    A JOB is an id, or as much of its beginning or end as only it has.
    """
    if bool(jobs) == failed:
        raise click.UsageError("name the jobs, or give --failed for all that have failed")
    if inbox is not None and not failed:
        raise click.UsageError("--inbox goes with --failed")
    config = settings()
    if inbox is not None:
        config.inbox(inbox)
    ledger = asking.ledger_of(config)
    if failed:
        # The oldest first, as they came.
        targets = [row.job for row in ledger.jobs(states=[State.FAILED], inbox=inbox)][::-1]
        if not targets:
            output.say("no job has failed")
    else:
        targets = [asking.find_job(ledger, job) for job in jobs]
    asking.ask(ledger, "retry", targets)
