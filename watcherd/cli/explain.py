"""`watcherd explain`: why a file is waiting, ignored, a duplicate, failed."""

from __future__ import annotations

import click

from watcherd import views
from watcherd.cli import output, settings
from watcherd.cli.explaining import Explainer


@click.command()
@click.argument("file", metavar="FILE")
@output.json_option
def command(*, file: str, as_json: bool) -> None:
    """Say what became of a file, or what it waits for.

    FILE is a path, or a name as it is or was in an inbox; outputs and filed originals are known
    as well. A name that more than one inbox knows is explained for each.
    """
    config = settings()
    answers = Explainer(config, views.open_ledger(config)).explain(file)
    if as_json:
        output.print_json([answer.to_json() for answer in answers])
        return
    for answer in answers:
        click.echo(f"{output.paint(output.name(answer.path), bold=True)}: {answer.says[0]}")
        for sentence in answer.says[1:]:
            click.echo(f"  {sentence}")
