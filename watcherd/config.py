"""The configuration: a TOML file becomes one frozen value, or one error naming every mistake."""

from __future__ import annotations

import functools
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watcherd import config_keys, hung
from watcherd.errors import ConfigError, NotOurs, Unanswered
from watcherd.model import Limits, Options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from watcherd.model import EngineName, Originals

VARIABLE = "WATCHERD_CONFIG"
"""The environment variable that names the file; children of a command inherit it."""

_RESOLVE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Inbox:
    """One inbox and what becomes of its files."""

    name: str
    path: Path
    outbox: Path
    archive: Path
    failed: Path
    archive_days: int  # 0: for ever
    originals: Originals
    duplicates: str  # process | skip
    output: str  # template below the outbox
    formats: tuple[str, ...]
    languages: tuple[str, ...]
    engine: EngineName
    review: float  # confidence, 0 to 100, below which a page's document is marked for review
    passwords: Path | None  # a file of them, one a line, to open PDFs with
    fast_web_view: bool  # PDFs that a browser can show before it has them whole
    watch: str  # auto | inotify | scan
    settle: float | None  # seconds of quiet; None: automatic
    ignore: tuple[str, ...]  # glob patterns of names
    spool: Path | None  # None: automatic
    mode: int  # permission bits of what is published
    notify: tuple[str, ...]  # names of targets


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to tell, how, and of what."""

    name: str
    urls: tuple[str, ...]
    command: tuple[str, ...]
    on: tuple[str, ...]  # success, failure


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration, all paths absolute."""

    source: Path
    state_dir: Path
    broker: str
    rescan: float  # seconds
    ahead: int  # jobs claimed and unfinished, per inbox
    in_flight: int | None  # messages at the broker; None: from the number of cores
    lease: float  # seconds without a sign of life
    attempts: int  # of a page or stage before it is given up
    min_free: int  # bytes
    keep_records_days: int
    keep_failed_days: int
    keep_history_days: int
    log: str
    log_level: str
    limits: Limits
    inboxes: tuple[Inbox, ...]
    targets: tuple[Target, ...]

    @property
    def record_days(self) -> int:
        """How long records are needed: what leaves an archive by age is found by its record."""
        return max(self.keep_records_days, *(inbox.archive_days for inbox in self.inboxes))

    def inbox(self, name: str) -> Inbox:
        """Return the inbox of that name; raise `NotOurs` where there is none."""
        for inbox in self.inboxes:
            if inbox.name == name:
                return inbox
        raise NotOurs(
            f"no inbox {name!r} in {self.source}; there are: "
            + ", ".join(i.name for i in self.inboxes)
        )

    def targets_of(self, inbox: Inbox, kind: str) -> tuple[str, ...]:
        """Return the names of the targets that hear of `kind` (success, failure)."""
        return tuple(t.name for t in self.targets if t.name in inbox.notify and kind in t.on)

    def options(self, inbox: Inbox) -> Options:
        """Return what a claim from this inbox records."""
        return Options(
            inbox.languages,
            inbox.engine,
            inbox.formats,
            self.limits,
            inbox.review,
            inbox.fast_web_view,
        )


def search() -> Path:
    """Return the configuration file in force: variable, system, then the user's folder."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    places = [Path("/etc/watcherd/config.toml"), home / "watcherd" / "config.toml"]
    for place in places:
        try:
            if place.is_file():
                return place
        except OSError as error:  # there may be one that holds
            says = f"{place}: cannot be read: {error.strerror}; name another one with --config"
            raise ConfigError([says]) from error
    tried = " and ".join(map(str, places))
    raise ConfigError([f"no configuration found at {tried}; `watcherd init` writes one"])


def load(path: Path | None = None) -> Config:
    """Read the configuration; raise `ConfigError` with every problem and its place."""
    source = (path or search()).absolute()
    try:
        table = tomllib.loads(source.read_text("utf-8"))
    except OSError as error:
        raise ConfigError([f"{source}: cannot be read: {error.strerror}"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError([f"{source}: not valid TOML: {error}"]) from error
    problems: list[str] = []
    config = _config(source, table, problems)
    if not problems:
        problems += _disagreements(config)
    if problems:
        raise ConfigError([f"{source}: {problem}" for problem in problems])
    return config


def _config(source: Path, table: dict[str, Any], problems: list[str]) -> Config:
    known = config_keys.SECTIONS
    problems += [f"{k}: {config_keys.nearest(k, known)}" for k in table if k not in known]
    main = config_keys.read("watcherd", table.get("watcherd", {}), "watcherd", problems)
    ocr = config_keys.read("ocr", table.get("ocr", {}), "ocr", problems)
    caps = config_keys.read("limits", table.get("limits", {}), "limits", problems)
    rows = table.get("inbox", [])
    if not isinstance(rows, list) or not rows:
        problems.append("inbox: at least one [[inbox]] is needed")
        rows = []
    groups = table.get("notify", {})
    if not isinstance(groups, dict):
        problems.append("notify: must hold tables, such as [notify.office]")
        groups = {}
    inboxes = tuple(_inbox(row, i, source, ocr, problems) for i, row in enumerate(rows))
    targets = tuple(
        Target(name=n, **values)
        for n, group in groups.items()
        if (values := config_keys.read("notify", group, f"notify.{n}", problems))
    )
    problems += _unknown_targets(rows, groups)
    if problems:  # values may be missing; nobody will see this
        return Config.__new__(Config)
    limits = Limits(
        caps["page_seconds"],
        caps["page_megapixels"] * 1_000_000,
        caps["page_memory"],
        caps["pages"],
    )
    main["state_dir"] = _absolute(main["state_dir"], source)
    return Config(source=source, limits=limits, inboxes=inboxes, targets=targets, **main)


def _unknown_targets(rows: list[Any], groups: dict[str, Any]) -> Iterator[str]:
    """Find names that no table bears; other mistakes must not hide them."""
    for i, row in enumerate(rows):
        told = row.get("notify") if isinstance(row, dict) else None
        for one in told if isinstance(told, list) else ():
            if isinstance(one, str) and one not in groups:
                yield f"inbox[{i}].notify: no [notify.{one}] in this file"


def _absolute(path: Path, source: Path) -> Path:
    return Path(os.path.normpath(source.parent / path))


def _inbox(row: Any, index: int, source: Path, ocr: dict[str, Any], problems: list[str]) -> Inbox:
    count = len(problems)
    values = config_keys.read("inbox", row, f"inbox[{index}]", problems)
    if len(problems) > count:
        return Inbox.__new__(Inbox)
    for key in ("languages", "engine", "review", "passwords"):
        values[key] = ocr[key] if values[key] is None else values[key]
    path = values["path"]
    for key in ("archive", "failed"):
        values[key] = values[key] or path.parent / key
    for key in ("path", "outbox", "archive", "failed", "spool", "passwords"):
        if values[key] is not None:
            values[key] = _absolute(values[key], source)
    return Inbox(**values)


def _real(config: Config) -> dict[Path, Path]:
    """Return every folder with its links resolved as far as they exist.

    Those of an inbox whose filesystem hangs are taken as they are: the others must go on.
    """
    real = {config.state_dir: Path(os.path.realpath(config.state_dir))}
    for inbox in config.inboxes:
        named = (inbox.path, inbox.outbox, inbox.archive, inbox.failed, inbox.spool or inbox.path)

        def resolve(named: tuple[Path, ...] = named) -> dict[Path, Path]:
            return {path: Path(os.path.realpath(path)) for path in named}

        try:
            real |= hung.ask(inbox.path, resolve, _RESOLVE_SECONDS)
        except Unanswered:
            real |= {path: path for path in named}
    return real


def _inside(real: dict[Path, Path], inner: Path, outer: Path) -> bool:
    """Tell whether `inner` is `outer` or below it."""
    return real[inner].is_relative_to(real[outer])


def _disagreements(config: Config) -> Iterator[str]:
    names: dict[str, int] = {}
    inside = functools.partial(_inside, _real(config))
    for i, inbox in enumerate(config.inboxes):
        place = f"inbox[{i}]"
        if inbox.name in names:
            yield f"{place}.name: {inbox.name!r} is taken by inbox[{names[inbox.name]}]"
        names.setdefault(inbox.name, i)
        for j, other in enumerate(config.inboxes):
            if j < i and (inside(inbox.path, other.path) or inside(other.path, inbox.path)):
                yield (
                    f"{place}.path: {inbox.path} and inbox[{j}].path {other.path} overlap; "
                    "give each inbox a folder of its own"
                )
            yield from _feedback(place, inbox, f"inbox[{j}]", other, inside)
        if inside(config.state_dir, inbox.path):
            yield f"watcherd.state_dir: lies inside {place}.path {inbox.path}; move it out"
    for target in config.targets:
        if not target.urls and not target.command:
            yield f"notify.{target.name}: needs urls or a command"


def _feedback(
    place: str,
    inbox: Inbox,
    other_place: str,
    other: Inbox,
    inside: Callable[[Path, Path], bool],
) -> Iterator[str]:
    """Find folders that would be fed back, or in which outputs would meet originals."""
    for key in ("archive", "failed") if inbox is other else ():
        path = getattr(inbox, key)
        if inside(inbox.outbox, path) and inside(path, inbox.outbox):
            yield (
                f"{place}.outbox: {inbox.outbox} is its {key} as well; "
                "documents and originals would mix, give each a folder of its own"
            )
    for key in ("outbox", "archive", "failed", "spool"):
        path = getattr(inbox, key)
        if path is not None and inside(path, other.path):
            yield (
                f"{place}.{key}: {path} lies inside {other_place}.path {other.path}; "
                "what is written there would be taken in again"
            )
        elif path is not None and inbox is other and inside(inbox.path, path):
            yield (
                f"{place}.path: {inbox.path} lies inside its own {key} {path}; "
                "put them side by side"
            )
