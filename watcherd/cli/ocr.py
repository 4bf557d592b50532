"""`watcherd ocr`: files become searchable PDFs now, without daemon or broker."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from watcherd import config, config_keys, credentials
from watcherd.cli import output
from watcherd.errors import ConfigError
from watcherd.formats import FORMATS
from watcherd.model import EngineName, Limits, Options

if TYPE_CHECKING:
    from collections.abc import Callable

    from watcherd.cli.bench import Done


def _list(reader: Callable[[Any], str]) -> Callable[[Any, Any, Any], Any]:
    """Check an option of several names as the configuration would."""

    def callback(_context: object, _option: object, value: str | None) -> Any:
        if value is None:
            return None
        try:
            return config_keys.list_of(reader, 1)([n for n in re.split(r"[,+\s]+", value) if n])
        except ValueError as error:
            raise click.BadParameter(str(error)) from error

    return callback


@click.command()
@click.argument("files", metavar="FILE…", nargs=-1, required=True)
@click.option("--output", "-o", "folder", help="Folder for what is made; by default each file's.")
@click.option(
    "--languages", "-l", callback=_list(config_keys.language), help="Such as deu,eng."
)  # fmt: skip
@click.option(
    "--formats",
    "-f",
    callback=_list(config_keys.one_of(*FORMATS)),
    help=f"Any of {', '.join(FORMATS)}; by default pdf.",
)
@click.option("--engine", type=click.Choice(get_args(EngineName)), help="By default auto.")
@click.option("--jobs", "-j", "hands", type=click.IntRange(1, 256), help="Pages at a time.")
def command(
    *,
    files: tuple[str, ...],
    folder: str | None,
    languages: tuple[str, ...] | None,
    formats: tuple[str, ...] | None,
    engine: EngineName | None,
    hands: int | None,
) -> None:
    """Turn files into searchable PDFs and print where they are.

    Nothing is overwritten: a name that is taken gets a number. The files stay as they are. A
    configuration is used for its [ocr] and [limits], if there is one. Ends with 1 if a file
    could not be done.
    """
    from watcherd.cli import bench  # noqa: PLC0415 - loads the engines' wrappers

    defaults = _defaults()
    options = Options(
        languages or defaults.languages,
        engine or defaults.engine,
        formats or ("pdf",),
        defaults.limits,
        defaults.review,
    )
    into = None if folder is None else Path(folder).expanduser()
    if into is not None and not into.is_dir():
        raise click.BadParameter(f"{into} is not a folder; make it first", param_hint="--output")
    bench.prepare(options)
    good = True
    progress = Progress(len(files))
    paths = [Path(file).expanduser() for file in files]
    with closing(
        bench.work(paths, into, options, defaults.passwords, hands or _cores(), progress)
    ) as work:
        for done in work:
            progress.clear()
            _tell(done)
            good = good and done.problem is None
    progress.clear()
    sys.exit(0 if good else 1)


def _tell(done: Done) -> None:
    """Print where the outputs are, and to stderr what there is to say; all of it may be hostile."""
    for path in done.outputs:
        click.echo(output.name(os.fspath(path)))
    problem = () if done.problem is None else (done.problem,)
    for sentence in (*done.notes, *problem):
        output.say(f"watcherd: {output.name(os.fspath(done.source))}: {output.name(sentence)}")


@dataclass(frozen=True, slots=True)
class _Defaults:
    """What the configuration says, or would say."""

    languages: tuple[str, ...]
    engine: EngineName
    limits: Limits
    review: float
    passwords: tuple[str, ...]


def _defaults() -> _Defaults:
    """Return [ocr] and [limits] of the configuration in force, if there is one."""
    try:
        file = config.search()
    except ConfigError:
        section, limits = {}, Limits()
    else:
        limits = config.load(file).limits
        section = tomllib.loads(file.read_text("utf-8")).get("ocr", {})
    values = config_keys.read("ocr", section, "ocr", [])
    passwords: tuple[str, ...] = ()
    if values["passwords"] is not None:
        passwords = credentials.lines(file.parent / values["passwords"])
    return _Defaults(values["languages"], values["engine"], limits, values["review"], passwords)


def _cores() -> int:
    return len(os.sched_getaffinity(0))


class Progress:
    """A line on a terminal that says how far the work is; nothing elsewhere."""

    def __init__(self, files: int) -> None:
        self._files, self._pages, self._done = files, 0, 0
        self._shown = sys.stderr.isatty()

    def planned(self, pages: int) -> None:
        """Note that a file turned out to have so many pages."""
        self._pages += pages
        self._draw()

    def landed(self) -> None:
        """Note that a page is done."""
        self._done += 1
        self._draw()

    def clear(self) -> None:
        """Take the line away, so that something else can be printed."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _draw(self) -> None:
        if self._shown:
            files = f" of {self._files} files" if self._files > 1 else ""
            sys.stderr.write(f"\r\x1b[K{output.bar(self._done, self._pages)} pages{files}")
            sys.stderr.flush()
