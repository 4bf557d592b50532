"""`watcherd pause`: stop claiming from inboxes."""

from __future__ import annotations

import click

from watcherd.cli import asking, settings


@click.command()
@click.argument("inboxes", metavar="INBOX…", nargs=-1, required=True)
def command(*, inboxes: tuple[str, ...]) -> None:
    """Stop claiming from inboxes: files stay there, and what is claimed is finished."""
    config = settings()
    for inbox in inboxes:
        config.inbox(inbox)
    asking.ask(asking.ledger_of(config), "pause", inboxes)
