"""What commands print: aligned and coloured on a terminal, plain in a pipe, JSON when asked.

In a pipe a table is one line a row, its columns separated by tabs, without a heading. Names are
shown with `naming.display`, so that no file name can drive a terminal or forge a line.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from watcherd.naming import display

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Row = Sequence[str]

_LEAST = 12  # columns that a shortened cell keeps
_BAR = 5  # cells of a progress bar
_COLOURS = {
    "waiting": "cyan",
    "ready": "blue",
    "queued": "blue",
    "running": "yellow",
    "done": "green",
    "failed": "red",
    "skipped": "magenta",
    "cancelled": "magenta",
    "OK": "green",
    "WARN": "yellow",
    "FAIL": "red",
}

json_option: Callable[..., Any] = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON; its keys are a contract."
)
"""The option `--json` of every verb that reads."""


def on_terminal() -> bool:
    """Tell whether a person looks at what is printed."""
    return sys.stdout.isatty()


def coloured() -> bool:
    """Tell whether colours are wanted (https://no-color.org)."""
    return on_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str | None = None, **style: Any) -> str:
    """Return text in a colour where colours are wanted."""
    return click.style(text, fg=colour, **style) if coloured() else text


def word(text: str) -> str:
    """Return a state, or the level of a check, in its colour."""
    return paint(text, _COLOURS.get(text))


def print_json(value: Any) -> None:
    """Print JSON; in ASCII, which every locale can show and in which no terminal code hides."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=True))


def say(text: str) -> None:
    """Print a sentence for a person, beside the output proper."""
    click.echo(text, err=True)


def name(value: str | bytes) -> str:
    """Return the name or path of a file for a person."""
    return display(value)


def bar(current: int, total: int | None) -> str:
    """Return a progress bar such as `███░░ 3/8`; only the count where there is no total."""
    if not total:
        return ""
    full = min(_BAR * current // total, _BAR)
    return f"{'█' * full}{'░' * (_BAR - full)} {current}/{total}"


def ago(seconds: float | None) -> str:
    """Return a span of time, rounded to its largest unit: `45 s`, `3 min`, `2 h`, `5 d`."""
    if seconds is None:
        return ""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(int(seconds), 0)} s"


def since(at: str | None, now: float) -> str:
    """Return how long ago a time of `--json` was."""
    return ago(None if at is None else now - datetime.fromisoformat(at).timestamp())


def width(text: str) -> int:
    """Return the cells that text takes on a terminal, wide and combining characters known."""
    wide = sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in text)
    return wide - sum(unicodedata.combining(c) > 0 for c in text)


def shorten(text: str, room: int) -> str:
    """Cut text to `room` cells, the last one then an ellipsis."""
    if width(text) <= room:
        return text
    while text and width(text) > room - 1:
        text = text[:-1]
    return text + "…"


def table(heading: Row, rows: Sequence[Row], *, state: int | None = None) -> None:
    """Print rows, the last two columns cut to fit a terminal; no cell may hold a line end.

    `state` is the column whose words have colours.
    """
    if not on_terminal():
        for row in rows:
            click.echo("\t".join(row))
        return
    widths = [max(map(width, column)) for column in zip(heading, *rows, strict=True)]
    room = shutil.get_terminal_size().columns - sum(widths[:-2]) - 2 * (len(widths) - 1)
    widths[-2] = min(widths[-2], max(room // 2, room - widths[-1], _LEAST))
    widths[-1] = min(widths[-1], max(room - widths[-2], _LEAST))
    _line(heading, widths, lambda _, text: paint(text, bold=True))
    for row in rows:
        _line(row, widths, lambda i, text: word(text) if i == state else text)


def _line(row: Row, widths: Sequence[int], painted: Callable[[int, str], str]) -> None:
    cells = []
    for i, (cell, room) in enumerate(zip(row, widths, strict=True)):
        shown = shorten(cell, room)
        cells.append(painted(i, shown) + " " * (room - width(shown)))
    click.echo("  ".join(cells).rstrip())


def facts(rows: Sequence[tuple[str, str]]) -> None:
    """Print what is known of one thing: a name and its value a line; empty values are left out."""
    known = [(key, value) for key, value in rows if value]
    room = max((width(key) for key, _ in known), default=0)
    for key, value in known:
        if on_terminal():
            click.echo(paint(key.ljust(room), dim=True) + "  " + value)
        else:
            click.echo(f"{key}\t{value}")
