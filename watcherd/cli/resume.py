"""`watcherd resume`: claim from paused inboxes again."""

from __future__ import annotations

import click

from watcherd.cli import asking, settings


@click.command()
@click.argument("inboxes", metavar="INBOX…", nargs=-1, required=True)
def command(*, inboxes: tuple[str, ...]) -> None:
    """Claim from paused inboxes again."""
    config = settings()
    for inbox in inboxes:
        config.inbox(inbox)
    asking.ask(asking.ledger_of(config), "resume", inboxes)
