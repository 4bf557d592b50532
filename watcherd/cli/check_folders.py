"""What `check` looks at in each inbox: its folders, by trying; its filesystem; its spool."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from watcherd import files, lease, mounts, places
from watcherd.cli.points import Point, fail, ok, warn
from watcherd.errors import EnvironmentFault
from watcherd.match import ignored
from watcherd.settle import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from watcherd.config import Config, Inbox

_COUNTED = 200_000
"""Folders of an inbox after which the counting ends."""

_INOTIFY = "/proc/sys/fs/inotify"


def folders(config: Config, inbox: Inbox, place: str) -> Iterator[Point]:
    """Try to read the inbox, and to write in it and in the three folders that are written."""
    del config
    try:
        os.scandir(inbox.path).close()
    except OSError as error:
        yield _missing(f"{place}.path", inbox.path, error)
    else:
        problem = _try_writing(inbox.path)
        if problem is None:
            yield ok(f"{place}.path", f"{inbox.path} can be read and written")
        elif inbox.originals == "keep":
            yield ok(f"{place}.path", f"{inbox.path} can be read (originals are kept)")
        else:
            yield fail(
                f"{place}.path",
                f"files cannot be taken out of {inbox.path}: {problem}",
                'let this user write there, or set originals = "keep"',
            )
    for key in ("outbox", "archive", "failed"):
        yield _written(f"{place}.{key}", getattr(inbox, key))


def _missing(place: str, path: Path, error: OSError) -> Point:
    denied = isinstance(error, PermissionError)
    remedy = "let this user read it" if denied else "make it, or mount it"
    return fail(place, f"{path}: {error.strerror}", remedy)


def _written(place: str, path: Path) -> Point:
    if not os.path.lexists(path):
        above = existing(path)
        if (problem := _try_writing(above)) is None:
            return ok(place, f"{path} does not exist yet; the daemon makes it")
        return fail(place, f"{path} cannot be made in {above}: {problem}", "make it for this user")
    if (problem := _try_writing(path)) is None:
        return ok(place, f"{path} can be written")
    return fail(place, f"{path} cannot be written: {problem}", "let this user write there")


def _try_writing(folder: Path) -> str | None:
    """Make a hidden file and take it away again; return why that failed, or None."""
    try:
        with _probe(folder):
            return None
    except OSError as error:
        return error.strerror or str(error)


@contextmanager
def _probe(folder: Path) -> Iterator[Path]:
    """Give a hidden empty file in a folder, which every watcher ignores, for a moment."""
    path = files.private_name(folder / "probe")
    path.touch(exist_ok=False)
    try:
        yield path
    finally:
        path.unlink()


def existing(path: Path) -> Path:
    """Return the nearest folder above a path, or itself, that exists."""
    return next(p for p in (path, *path.parents) if p.is_dir())


def watching(config: Config, inbox: Inbox, place: str) -> Iterator[Point]:
    """Say on which filesystem the inbox lies, how it is watched, and whether limits allow it."""
    del config
    if not inbox.path.is_dir():
        return
    mount = mounts.filesystem_of(inbox.path)
    chosen = mounts.watch_mode(mount.fstype) if inbox.watch == "auto" else inbox.watch
    says = f"{inbox.path} lies on {mount.fstype}; it is watched by {chosen}"
    if mount.network and chosen == "inotify":
        why = mounts.NETWORK[mount.fstype.partition(".")[0]]
        yield warn(f"{place}.watch", f"{says}, but {why}", 'set watch = "auto"')
    else:
        yield ok(f"{place}.watch", says)
    if chosen == "inotify":
        yield _watches(inbox, f"{place}.watch")


def _watches(inbox: Inbox, place: str) -> Point:
    """Compare the folders of an inbox with the watches that the kernel gives one user."""
    count = 0
    for _, names, _ in os.walk(inbox.path):
        count += 1
        names[:] = [n for n in names if not ignored(os.fsencode(n), inbox.ignore)]
        if count >= _COUNTED:
            break
    with open(f"{_INOTIFY}/max_user_watches", encoding="ascii") as file:  # noqa: PTH123
        most = int(file.read())
    says = f"{count} folders are watched; fs.inotify.max_user_watches is {most}"
    if count > 0.8 * most:
        return warn(place, says, f"sysctl fs.inotify.max_user_watches={max(4 * count, 65536)}")
    return ok(place, says)


def leases(config: Config, inbox: Inbox, place: str) -> Iterator[Point]:
    """Find out whether the kernel can say that a file in the inbox is still being written."""
    del config
    place = f"{place}.settle"
    if inbox.settle is not None:
        yield ok(place, f"a file is taken once it has not changed for {inbox.settle:g} s")
        return
    if not inbox.path.is_dir():
        return
    network = mounts.filesystem_of(inbox.path).network
    with suppress(OSError), _probe(inbox.path) as probe:
        if not network and lease.writer(probe) is Writer.NONE:
            whose = "any user" if _may_lease() else "this user (others need CAP_LEASE)"
            yield ok(place, f"the kernel says who still writes a file of {whose}")
            return
    yield ok(place, "the kernel cannot say who still writes; a quiet period is waited for")


def _may_lease() -> bool:
    """Tell whether we may lease the files of others (CAP_LEASE of capabilities(7))."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:  # noqa: PTH123
        line = next((row for row in file if row.startswith("CapEff:")), "CapEff: 0")
    return bool(int(line.split()[1], 16) >> 28 & 1)


def spool(config: Config, inbox: Inbox, place: str) -> Iterator[Point]:
    """Say where the inbox's spool is, why there, and whether there is room."""
    if not inbox.path.is_dir() or not inbox.outbox.is_dir():
        yield warn(
            f"{place}.spool",
            "inbox and outbox must exist before it can be said where the spool will lie",
            "the daemon chooses when it starts",
        )
        return
    beside = inbox.path.parent / places.BESIDE
    before = beside.exists()
    try:
        choice = places.choose(config, inbox)
    except EnvironmentFault as fault:
        yield fail(f"{place}.spool", str(fault))
        return
    finally:
        if not before:  # it was only tried; who makes it owns it
            with suppress(OSError):
                beside.rmdir()
    yield ok(f"{place}.spool", f"{choice.path}: {choice.why}")
    yield from _left_behind(config, inbox, place, choice.path)
    free = shutil.disk_usage(existing(choice.path)).free
    says = f"{_mib(free)} are free at {choice.path}"
    if free < config.min_free:
        more = f"free some: nothing is taken below {_mib(config.min_free)} (min_free)"
        yield fail(f"{place}.spool", says, more)
    else:
        yield ok(f"{place}.spool", says)
    for key in ("outbox", "archive", "failed"):
        folder = existing(getattr(inbox, key))
        free = shutil.disk_usage(folder).free
        if free < config.min_free and not files.same_device(folder, existing(choice.path)):
            yield warn(f"{place}.{key}", f"{_mib(free)} are free at {folder}", "free some")


def _left_behind(config: Config, inbox: Inbox, place: str, chosen: Path) -> Iterator[Point]:
    """Find jobs in work in a spool that was chosen under other circumstances."""
    for one in places.known(config).by_name.values():
        if one.root == chosen or one.root != inbox.path.parent / places.BESIDE:
            continue
        if left := sum(1 for _ in one.jobs()):
            yield warn(
                f"{place}.spool",
                f"{left} jobs are in work in {one.root}, which is not chosen any more",
                f'set spool = "{one.root}" until they are done',
            )


def _mib(size: int) -> str:
    return f"{size >> 20} MiB" if size < 10 << 30 else f"{size >> 30} GiB"


CHECKS: tuple[Callable[[Config, Inbox, str], Iterator[Point]], ...] = (
    folders,
    watching,
    leases,
    spool,
)
"""Each gives what it finds of one inbox, whose place in the configuration it is told."""
