"""`watcherd cancel`: cancel jobs."""

from __future__ import annotations

import click

from watcherd.cli import asking, settings


@click.command()
@click.argument("jobs", metavar="JOB…", nargs=-1, required=True)
def command(*, jobs: tuple[str, ...]) -> None:
    """Cancel jobs: their originals go to the failed folder, and can be retried.

    A JOB is an id, or as much of its beginning or end as only it has.
    """
    ledger = asking.ledger_of(settings())
    asking.ask(ledger, "cancel", [asking.find_job(ledger, job) for job in jobs])
