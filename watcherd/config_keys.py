"""Every key of the configuration file: how it is read and what it is when absent.

A stranger adds a key here, documents it in `config.example.toml` (a test holds the two against
each other), and finds it in the dictionary that `read` returns.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from watcherd import naming
from watcherd.formats import FORMATS
from watcherd.model import EngineName, Originals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

REQUIRED = object()
"""The default of a key that has none."""

_SIZES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_LANGUAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]{1,30}(?:/[A-Za-z_]+)?")
_BROKER = re.compile(r"(rediss?|redis\+socket|amqps?)://.+")
_OCTAL = re.compile(r"0?[0-7]{3,4}")


def text(value: Any) -> str:
    """Read a non-empty string."""
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ValueError("must be a non-empty string")
    return value


def name(value: Any) -> str:
    """Read a short name that is safe in paths, logs and commands."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError("must be letters, digits, - and _, at most 63 of them")
    return value


def folder(value: Any) -> Path:
    """Read a path; it is made absolute later, against the configuration file's folder."""
    try:
        return Path(text(value)).expanduser()
    except RuntimeError:
        raise ValueError(f"{value!r} names a user who is not known here") from None


def auto_or(reader: Callable[[Any], T]) -> Callable[[Any], T | None]:
    """Read `"auto"` as None, anything else with `reader`."""
    return lambda value: None if value == "auto" else reader(value)


def one_of(*choices: str) -> Callable[[Any], str]:
    """Read one of a few words."""

    def reader(value: Any) -> str:
        if value not in choices:
            near = difflib.get_close_matches(str(value), choices, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"must be one of {', '.join(map(repr, choices))}{hint}")
        return str(value)

    return reader


def list_of(reader: Callable[[Any], T], least: int = 0) -> Callable[[Any], tuple[T, ...]]:
    """Read a list, each member with `reader`, none twice."""

    def whole(value: Any) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise ValueError('must be a list, such as ["…"]')  # noqa: TRY004 - one error for all
        found = tuple(reader(member) for member in value)
        if len(found) < least:
            raise ValueError("must not be empty")
        if len(set(found)) != len(found):
            raise ValueError("names something twice")
        return found

    return whole


def pattern(value: Any) -> str:
    """Read a pattern of names; folders are matched one by one, so it holds no slash."""
    found = text(value)
    if "/" in found:
        raise ValueError(f"{found!r} is matched with one name, of a file or a folder: no /")
    return found


def language(value: Any) -> str:
    """Read one of Tesseract's language names."""
    if not isinstance(value, str) or not _LANGUAGE.fullmatch(value):
        raise ValueError('must be names of Tesseract languages, such as "eng" or "deu"')
    return value


def number(least: float, most: float, *, whole: bool = False) -> Callable[[Any], Any]:
    """Read a number between two bounds."""

    def reader(value: Any) -> float:
        wrong = isinstance(value, bool) or not isinstance(value, int if whole else (int, float))
        if wrong or not least <= value <= most:
            raise ValueError(f"must be a{' whole' if whole else ''} number, {least:g} to {most:g}")
        return value if whole else float(value)

    return reader


def yes_or_no(value: Any) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004 - one error for all
    return value


def size(value: Any) -> int:
    """Read a number of bytes: `1073741824`, `"1 GiB"`, `"500M"`."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError('must be a size such as "500M" or "1GiB"')
    return int(float(match[1]) * _SIZES[match[2].upper()])


def mode(value: Any) -> int:
    """Read permission bits written in octal as a string."""
    if not isinstance(value, str) or not _OCTAL.fullmatch(value) or int(value, 8) & ~0o777:
        raise ValueError('must be permission bits in quotes, such as "0640"')
    return int(value, 8)


def template(value: Any) -> str:
    """Read an output template that cannot leave the outbox."""
    found = text(value)
    if problem := naming.problems_of(found):
        raise ValueError(problem)
    return found


def broker(value: Any) -> str:
    """Read the broker's address."""
    if value != "embedded" and not (isinstance(value, str) and _BROKER.fullmatch(value)):
        raise ValueError(
            'must be "embedded" or an address: redis://, rediss://, redis+socket://, amqp://, '
            "amqps://"
        )
    return str(value)


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its reader and its default."""

    read: Callable[[Any], Any]
    default: Any = REQUIRED


_OCR = {
    "languages": Key(list_of(language, 1), ("eng",)),
    "engine": Key(one_of(*get_args(EngineName)), "auto"),
    "review": Key(number(0, 100), 60.0),
    "passwords": Key(folder, None),
}

SECTIONS: Mapping[str, Mapping[str, Key]] = {
    "watcherd": {
        "state_dir": Key(folder, Path("/var/lib/watcherd")),
        "broker": Key(broker, "embedded"),
        "rescan": Key(number(1, 86400), 60.0),
        "ahead": Key(number(1, 1000, whole=True), 16),
        "in_flight": Key(auto_or(number(1, 1000, whole=True)), None),
        "lease": Key(number(3, 3600), 15.0),
        "attempts": Key(number(1, 20, whole=True), 3),
        "min_free": Key(size, 200 << 20),
        "keep_records_days": Key(number(0, 36500, whole=True), 30),
        "keep_failed_days": Key(number(0, 36500, whole=True), 30),
        "keep_history_days": Key(number(1, 36500, whole=True), 1095),
        "log": Key(one_of("auto", "console", "json"), "auto"),
        "log_level": Key(one_of("debug", "info", "warning", "error"), "info"),
    },
    "ocr": _OCR,
    "limits": {
        "page_seconds": Key(number(1, 86400, whole=True), 120),
        "page_megapixels": Key(number(1, 10000, whole=True), 140),
        "page_memory": Key(size, 1 << 30),
        "pages": Key(number(1, 1_000_000, whole=True), 5000),
    },
    "inbox": {
        "name": Key(name),
        "path": Key(folder),
        "outbox": Key(folder),
        "archive": Key(folder, None),
        "failed": Key(folder, None),
        "archive_days": Key(number(0, 36500, whole=True), 0),
        "originals": Key(one_of(*get_args(Originals)), "archive"),
        "duplicates": Key(one_of("process", "skip"), "process"),
        "languages": Key(list_of(language, 1), None),
        "engine": Key(one_of(*get_args(EngineName)), None),
        "review": Key(number(0, 100), None),
        "passwords": Key(folder, None),
        "output": Key(template, "{dir}/{stem}"),
        "formats": Key(list_of(one_of(*FORMATS), 1), ("pdf",)),
        "fast_web_view": Key(yes_or_no, False),
        "watch": Key(one_of("auto", "inotify", "scan"), "auto"),
        "settle": Key(auto_or(number(0, 86400)), None),
        "ignore": Key(list_of(pattern), ()),
        "spool": Key(auto_or(folder), None),
        "mode": Key(mode, 0o640),
        "notify": Key(list_of(name), ()),
    },
    "notify": {
        "urls": Key(list_of(text), ()),
        "command": Key(list_of(text), ()),
        "on": Key(list_of(one_of("success", "failure")), ("success", "failure")),
    },
}


def nearest(key: str, known: Mapping[str, object]) -> str:
    """Return the words of an error about an unknown key."""
    near = difflib.get_close_matches(key, known, 1)
    return (
        f"unknown key; did you mean {near[0]!r}?"
        if near
        else (f"unknown key; known are {', '.join(sorted(known))}")
    )


def read(section: str, table: Any, place: str, problems: list[str]) -> dict[str, Any]:
    """Return the section's values, defaults filled in; append what is wrong to `problems`."""
    keys = SECTIONS[section]
    if not isinstance(table, dict):
        problems.append(f"{place}: must be a table")
        return {}
    problems += [f"{place}.{key}: {nearest(key, keys)}" for key in table if key not in keys]
    values: dict[str, Any] = {}
    for key, spec in keys.items():
        if key not in table:
            if spec.default is REQUIRED:
                problems.append(f"{place}.{key}: is missing")
            values[key] = None if spec.default is REQUIRED else spec.default
            continue
        try:
            values[key] = spec.read(table[key])
        except ValueError as error:
            problems.append(f"{place}.{key}: {error}")
            values[key] = None if spec.default is REQUIRED else spec.default
    return values
