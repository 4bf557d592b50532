"""`watcherd init`: a commented configuration, and the folders that it names."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from watcherd import config, config_keys, files, resources
from watcherd.cli import output
from watcherd.errors import ConfigError, EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SYSTEM = Path("/etc/watcherd/config.toml")
_FOLDERS = ("inbox", "outbox", "archive", "failed")
_KEY = re.compile(r"(?:# )?(?P<key>[a-z_]+) = ")
_SECTION = re.compile(r"(?:# )?\[{1,2}(?P<name>[a-z]+)[\].]")


def _read(reader: Callable[[Any], Any]) -> Callable[[Any, Any, Any], Any]:
    """Check an option as the configuration would."""

    def callback(_context: object, _option: object, value: Any) -> Any:
        if value is None:
            return None
        try:
            return reader(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error

    return callback


def _languages(text: str) -> tuple[str, ...]:
    names = [name for name in re.split(r"[,+\s]+", text) if name]
    return config_keys.list_of(config_keys.language, 1)(names)


@click.command()
@click.option("--dir", "folder", help="Where inbox, outbox, archive and failed are to be.")
@click.option("--name", callback=_read(config_keys.name), help="What to call the inbox.")
@click.option(
    "--languages", callback=_read(_languages), help="Tesseract's names, such as deu,eng."
)  # fmt: skip
@click.option("--state-dir", help="For ledger and embedded broker; by default DIR/state.")
@click.option("--output", "-o", "file", help="The file to write.")
@click.option("--force", is_flag=True, help="Overwrite the file if it exists.")
def command(
    *,
    folder: str | None,
    name: str | None,
    languages: tuple[str, ...] | None,
    state_dir: str | None,
    file: str | None,
    force: bool,
) -> None:
    """Write a configuration with a comment on every key, and make the folders of its inbox.

    On a terminal, asks for what is not given by an option; elsewhere takes the defaults.
    """
    target = _absolute(file or os.environ.get(config.VARIABLE) or _default_file())
    if not force and os.path.lexists(target):
        raise click.UsageError(f"{target} exists; --force overwrites it, --output names another")
    base = _absolute(folder or _ask("Folder for inbox, outbox, archive and failed", _default_dir()))
    spoken = languages or _languages(_ask("Languages of the documents, Tesseract's names", "eng"))
    system = folder is None and state_dir is None and _is_root()
    state = _absolute(state_dir or ("/var/lib/watcherd" if system else base / "state"))
    values: dict[tuple[str, str], Any] = {
        ("watcherd", "state_dir"): str(state),
        ("ocr", "languages"): list(spoken),
        ("inbox", "name"): name or "scanner",
    }
    for one in _FOLDERS:
        values["inbox", "path" if one == "inbox" else one] = str(base / one)
    _write(target, filled(resources.find(resources.EXAMPLE).read_text("utf-8"), values), force)
    for one in _FOLDERS:
        (base / one).mkdir(parents=True, exist_ok=True)
    _what_next(target, base)


def filled(text: str, values: Mapping[tuple[str, str], Any]) -> str:
    """Return the example with values put in, by section and key; the comments stay."""
    lines, section, left = [], "", dict(values)
    for line in text.splitlines():
        if head := _SECTION.match(line):
            section = head["name"]
        key = _KEY.match(line)
        if key and (section, key["key"]) in left:
            lines.append(f"{key['key']} = {toml(left.pop((section, key['key'])))}")
        else:
            lines.append(line)
    if left:
        raise EnvironmentFault(f"the example lacks the keys {sorted(left)}; install watcherd anew")
    return "\n".join(lines) + "\n"


def toml(value: str | list[str]) -> str:
    """Return a string or a list of strings as TOML; raise `ConfigError` if it is not UTF-8."""
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise ConfigError(
            [f"{output.name(value)}: TOML cannot hold a name that is not UTF-8"]
        ) from None
    escaped = "".join(_ESCAPES.get(c) or (c if c.isprintable() else _unicode(c)) for c in value)
    return f'"{escaped}"'


_ESCAPES = {'"': '\\"', "\\": "\\\\"}


def _unicode(character: str) -> str:
    return f"\\U{ord(character):08x}"


def _write(target: Path, text: str, force: bool) -> None:
    """Write the file whole, but not before it has been read as a configuration."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = files.private_name(target)
        draft.write_text(text, "utf-8")
        try:
            config.load(draft)
            if force:
                draft.replace(target)
            else:
                files.rename_noreplace(draft, target)
        finally:
            draft.unlink(missing_ok=True)
    except FileExistsError:
        raise click.UsageError(f"{target} exists; --force overwrites it") from None
    except ConfigError as error:
        raise ConfigError([p.removeprefix(f"{draft}: ") for p in error.problems]) from None
    except OSError as error:
        raise EnvironmentFault(f"{target} cannot be written: {error.strerror}") from error


def _what_next(target: Path, base: Path) -> None:
    try:
        found = os.environ.get(config.VARIABLE) is None and config.search() == target
    except ConfigError:
        found = False
    me = "watcherd" if found else f"watcherd --config {target}"
    click.echo(f"wrote {output.name(str(target))}")
    click.echo(f"made {output.name(str(base))}/{{{','.join(_FOLDERS)}}}")
    click.echo(f"next: `{output.name(me)} check`, then `{output.name(me)} up`")


def _ask(question: str, default: str) -> str:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return default
    answer: str = click.prompt(question, default=default)
    return answer


def _is_root() -> bool:
    return os.geteuid() == 0


def _default_dir() -> str:
    return "/srv/scans" if _is_root() else str(Path.home() / "scans")


def _default_file() -> Path:
    if _is_root():
        return _SYSTEM
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return home / "watcherd" / "config.toml"


def _absolute(path: str | Path) -> Path:
    return Path(os.path.normpath(Path(path).expanduser().absolute()))
