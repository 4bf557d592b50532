"""`watcherd check`: configuration and machine, one point a line."""

from __future__ import annotations

import sys
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING

import click

from watcherd import config
from watcherd.cli import check_folders, check_machine, check_tools, output, settings
from watcherd.cli.points import Point, fail, ok
from watcherd.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@click.command()
@output.json_option
def command(*, as_json: bool) -> None:
    """Check the configuration, the folders, the tools and languages, the broker, the limits.

    Nothing is changed: what is tried in a folder is taken away again. Ends with 0 if all is
    well (warnings allowed), 3 if the configuration is wrong, 4 if the machine is.
    """
    shown = []
    for point in points():
        shown.append(point)
        if not as_json:  # as they come: one that hangs (a dead mount) shows where
            click.echo(f"{output.word(point.level)}{' ' * (5 - len(point.level))}{_plain(point)}")
    if as_json:
        output.print_json([point.to_json() for point in shown])
    sys.exit(exit_code(shown))


def points() -> Iterator[Point]:
    """Check everything; give what is found, in order."""
    try:
        found = settings()
    except ConfigError as error:
        yield from (_problem(line) for line in error.problems)
        return
    yield ok("configuration", f"{found.source} is valid")
    for check in chain(check_machine.CHECKS, check_tools.CHECKS):
        yield from check(found)
    for i, inbox in enumerate(found.inboxes):
        for look in check_folders.CHECKS:
            yield from look(found, inbox, f"inbox[{i}]")


def exit_code(shown: Sequence[Point]) -> int:
    """Return the command's exit code for what was found."""
    failed = [point for point in shown if point.level == "FAIL"]
    if any(point.configuration for point in failed):
        return ConfigError.exit_code
    return 4 if failed else 0


def _problem(line: str) -> Point:
    """Turn `FILE: PLACE: what is wrong` into a point; the file is named once, by its place."""
    with suppress(ConfigError):
        line = line.removeprefix(f"{config.search().absolute()}: ")
    place, colon, says = line.partition(": ")
    if not colon or " " in place:
        place, says = "configuration", line
    return fail(place, says, configuration=True)


def _plain(point: Point) -> str:
    return output.name(str(point))
