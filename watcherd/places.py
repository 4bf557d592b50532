"""Where each inbox has its spool, and why there."""

from __future__ import annotations

import functools
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watcherd import files, hung
from watcherd.errors import EnvironmentFault, Unanswered
from watcherd.mounts import filesystem_of
from watcherd.spool import Spool, Spools

if TYPE_CHECKING:
    from pathlib import Path

    from watcherd.config import Config, Inbox

BESIDE = ".watcherd"
"""The spool's folder where it lies beside the inbox."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A spool's place, and the reason in words."""

    path: Path
    why: str


def make_folders(inbox: Inbox, *, served: bool) -> None:
    """Make the folders around an inbox that are missing.

    Where an inbox was `served` before, one that lies elsewhere and is missing is not made: it is
    on a disk that is not mounted, and what was put into its place would be hidden later.
    """
    for folder in (inbox.outbox, inbox.archive, inbox.failed):
        if inbox.path.is_dir() and (not served or folder.parent == inbox.path.parent):
            files.make_root(folder)


def choose(config: Config, inbox: Inbox) -> Choice:
    """Return where the spool of an inbox is: where it belongs, once no job is in work elsewhere."""
    choice = _belongs(config, inbox)
    others = (inbox.path.parent / BESIDE, config.state_dir / "spool")
    for other in others:
        if other != choice.path and _in_work(other, inbox) and not _in_work(choice.path, inbox):
            return Choice(other, f"jobs are in work there; afterwards {choice.path}: {choice.why}")
    return choice


def _in_work(root: Path, inbox: Inbox) -> bool:
    """Tell whether a spool holds jobs of an inbox that have not ended."""
    claims = (job.claim() for spool in _there(root) for job in spool.jobs())
    return any(claim is not None and claim.inbox == inbox.name for claim in claims)


def _belongs(config: Config, inbox: Inbox) -> Choice:
    """Return where the spool of an inbox belongs.

    Beside the inbox where inbox, outbox and spool share one local filesystem on which links
    work, so that claiming and publishing are renames and links; else below the state directory.
    Tries by linking, so the inbox and the outbox should exist; raises `EnvironmentFault` if not.
    """
    if inbox.spool is not None:
        return Choice(inbox.spool, "as configured")
    beside, central = inbox.path.parent / BESIDE, config.state_dir / "spool"
    for other in config.inboxes:
        if _within(beside, other.path):
            return Choice(central, f"{beside} would lie in the inbox {other.name}")
    for folder in (inbox.path, inbox.outbox):
        if not folder.is_dir():
            raise EnvironmentFault(f"{folder} does not exist; make it, or mount it")
    fstype = filesystem_of(inbox.path).fstype
    if filesystem_of(inbox.path).network:
        return Choice(central, f"{inbox.path} lies on a network filesystem ({fstype})")
    if problem := _apart(beside, inbox.path, inbox.outbox):
        return Choice(central, problem)
    return Choice(beside, f"inbox, outbox and spool share one filesystem ({fstype})")


def _within(beside: Path, inbox: Path) -> bool:
    """Tell whether a spool would lie in somebody's inbox, which may hang."""
    with suppress(Unanswered):
        return beside.resolve().is_relative_to(hung.ask(inbox, inbox.resolve))
    return beside.is_relative_to(inbox)


def _apart(beside: Path, inbox: Path, outbox: Path) -> str | None:
    """Return why files cannot be renamed from the inbox and linked into the outbox, or None."""
    try:
        beside.mkdir(mode=0o750, exist_ok=True)
        probe = files.private_name(beside / "probe")
        probe.touch(exist_ok=False)
    except OSError as error:
        return f"{beside} cannot be written: {error.strerror}"
    names = [files.private_name(folder / "probe") for folder in (outbox, inbox)]
    try:
        for name in names:
            os.link(probe, name)
        names[-1].replace(probe)  # between two names of one file: does nothing, but may say EXDEV
    except OSError as error:
        with suppress(OSError):
            probe.unlink()
            beside.rmdir()
        return f"a file cannot be linked from {beside} to {outbox} and {inbox}: {error.strerror}"
    finally:
        for name in (*names, probe):
            with suppress(OSError):
                name.unlink()
    return None


def known(config: Config) -> Spools:
    """Return the spools that exist, for those who read: workers, commands.

    One that hangs is left out: the others must go on.
    """
    roots: dict[Path, None] = {}
    for inbox in config.inboxes:
        places = (inbox.path.parent / BESIDE, config.state_dir / "spool")
        for root in (inbox.spool,) if inbox.spool else places:
            roots.setdefault(root)
    found: list[Spool] = []
    for root in roots:
        with suppress(Unanswered):
            found += hung.ask(root, functools.partial(_there, root))
    return Spools(found)


def _there(root: Path) -> list[Spool]:
    return [Spool(root)] if (root / "spool.json").is_file() else []
