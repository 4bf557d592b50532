"""`python -m storm`: the long form."""

from __future__ import annotations

import signal
import sys

import click

from storm.run import Plan, Storm


@click.command()
@click.option("--documents", default=2000, show_default=True)
@click.option("--faults", default=200, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--attempts", default=3, show_default=True, help="Setting of the service.")
@click.option("--keep", is_flag=True, help="Leave the folders and logs.")
def main(documents: int, faults: int, seed: int, attempts: int, *, keep: bool) -> None:
    """Let a storm rage over a real service, and say whether the promise was held."""
    plan = Plan(seed, documents, faults, fulls=max(documents // 20, 1), attempts=attempts)
    storm = Storm(plan, lambda line: click.echo(line, err=True))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    good = False
    try:
        report = storm.run()
        good = report.good
        click.echo("\n".join(report.lines()))
    finally:
        if keep:
            click.echo(f"kept: {storm.ground.root}", err=True)
        else:
            storm.ground.clear()
    sys.exit(0 if good else 1)


main()
