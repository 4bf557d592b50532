"""What became of a file, or what it waits for, told from the same facts as the daemon goes by."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watcherd import claiming, endmark, files, lease, places, settle, views
from watcherd.cli.output import ago
from watcherd.jobfiles import JOB
from watcherd.lifecycle import FINISHED, State
from watcherd.match import ignored_path
from watcherd.mounts import filesystem_of
from watcherd.naming import display, json_name

if TYPE_CHECKING:
    from watcherd.config import Config, Inbox
    from watcherd.ledger import Job, Ledger
    from watcherd.spool import Spool

_HASHED = 1 << 30
"""Bytes up to which a file is compared with the jobs by its content."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of one file; `code` is a stable slug, `says` holds sentences."""

    path: str
    code: str
    says: tuple[str, ...]
    inbox: str | None = None
    source: bytes | None = None  # relative to the inbox
    job: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what `explain --json` prints of it."""
        name = {"source": None} if self.source is None else json_name(self.source)
        return {
            "path": display(self.path),
            "inbox": self.inbox,
            **name,
            "code": self.code,
            "job": self.job,
            "says": list(self.says),
        }


def sentence(row: Job) -> str:
    """Return how a job stands, in one sentence."""
    name = f"job {row.job}"
    place = f"; the original is {display(row.filed)}" if row.filed else ""
    why = f"{row.reason.rstrip('.')} (code {row.code})" if row.reason else ""
    if row.state is State.DONE:
        return f"{name} is done: {', '.join(map(display, row.outputs))}{place}"
    if row.state not in FINISHED:
        return f"{name} {_in_work(row)}"
    if row.state is State.FAILED:
        where = f" in the {row.stage} stage" if row.stage else ""
        again = f"`watcherd retry {row.job}` takes it up again"
        return f"{name} failed{where}: {display(why)}{place}; {again}"
    return f"{name} was {row.state}: {display(why)}{place}"


def _in_work(row: Job) -> str:
    match row.state:
        case State.RUNNING if row.total:
            return f"is running, {row.current} of {row.total} pages are done"
        case State.READY if row.attempts:
            return f"is to be tried again, after {row.attempts} failed attempts"
        case State.READY:
            return "has taken it; it waits for its turn"
        case _:
            return f"is {row.state}"


def _there(path: Path) -> bool:
    """Tell whether a file or link is there; raise OSError where that cannot be seen."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _unreadable(error: OSError) -> str:
    what = "it" if error.filename is None else display(os.fspath(error.filename))
    return (
        f"{what} cannot be read by this user: {error.strerror}; "
        "run this command as the user of the service (sudo -u USER …)"
    )


class Explainer:
    """Answers for one configuration; the ledger is None where the daemon has never run."""

    def __init__(self, config: Config, ledger: Ledger | None) -> None:
        self._config, self._ledger = config, ledger
        self._spools: list[Spool] = []
        self._hidden: list[str] = []  # what of the service this user cannot see
        try:
            self._spools += places.known(config).by_name.values()
        except OSError as error:
            self._hidden.append(_unreadable(error))
        self._alive = ledger is not None and views.alive(ledger.daemon())

    def explain(self, text: str) -> list[Answer]:
        """Return an answer for each file that may be meant; at least one."""
        path = Path(os.path.abspath(Path(text).expanduser()))  # noqa: PTH100 - links stay
        if os.path.lexists(path) or Path(text).is_absolute():
            return [self._at(path)]
        name = os.fsencode(os.path.normpath(text))
        known = [i for i in self._config.inboxes if self._knows(i, name)]
        if known:
            return [self._in_inbox(inbox, name) for inbox in known]
        return [self._at(path)]

    def _knows(self, inbox: Inbox, name: bytes) -> bool:
        if os.path.lexists(claiming.inbox_path(inbox, name)):
            return True
        return bool(self._ledger and self._ledger.by_source(inbox.name, name, 1))

    def _at(self, path: Path) -> Answer:
        real = Path(os.path.realpath(path.parent), path.name)  # its own link is not followed
        for inbox in self._config.inboxes:
            for way, root in ((path, inbox.path), (real, Path(os.path.realpath(inbox.path)))):
                if way != root and way.is_relative_to(root):
                    return self._in_inbox(inbox, os.fsencode(way.relative_to(root)))
        return self._elsewhere(path, real)

    # In an inbox

    def _in_inbox(self, inbox: Inbox, name: bytes) -> Answer:
        before = self._ledger.by_source(inbox.name, name) if self._ledger else []
        try:
            if (reason := self._never(inbox, name)) is not None:
                return self._answer(inbox, name, *reason)
            if not _there(claiming.inbox_path(inbox, name)):
                return self._gone(inbox, name, before)
            code, says = self._noted(inbox, name) or self._waits(inbox, name)
        except OSError as error:
            code, says = self._noted(inbox, name) or ("unreadable", _unreadable(error))
        told = [says, *self._hindrances(inbox, code)] if code != "kept" else [says]
        told += self._twins(inbox, claiming.inbox_path(inbox, name))
        told += [f"earlier, under this name: {sentence(row)}" for row in before[:1]]
        return self._answer(inbox, name, code, *told, job=before[0].job if before else None)

    def _answer(
        self, inbox: Inbox, name: bytes, code: str, *says: str, job: str | None = None
    ) -> Answer:
        path = str(claiming.inbox_path(inbox, name))
        return Answer(path, code, says, inbox.name, name, job)

    def _never(self, inbox: Inbox, name: bytes) -> tuple[str, str] | None:
        """Return why the daemon will never take such a file, as code and sentence, or None."""
        if reason := ignored_path(name, inbox.ignore):
            return "ignored", f"it is left alone: {reason}"
        path = claiming.inbox_path(inbox, name)
        steps = [path, *path.parents][: name.count(b"/") + 1]
        if link := next((step for step in steps if step.is_symlink()), None):
            what = "it" if link == path else display(str(link))
            return "link", f"it is left alone: {what} is a symbolic link; put the file itself there"
        if path.is_dir():
            return "folder", "it is a folder; every file in it is taken for itself"
        if os.path.lexists(path) and not path.is_file():
            return "not-a-file", "it is left alone: it is a device, a pipe or a socket"
        return None

    def _gone(self, inbox: Inbox, name: bytes, before: list[Job]) -> Answer:
        if not before:
            says = f"no such file is in the inbox {inbox.name}, and none of this name was taken"
            return self._answer(inbox, name, "unknown", says)
        row = before[0]
        told = [sentence(row)]
        if len(before) > 1:
            told.append(f"{len(before) - 1} earlier jobs had this name")
        if row.state not in FINISHED and not self._alive:
            told.append("the daemon is not running; the job goes on when it starts")
        return self._answer(inbox, name, row.state.value, *told, job=row.job)

    def _noted(self, inbox: Inbox, name: bytes) -> tuple[str, str] | None:
        """Return what the daemon says that a file waits for, as code and sentence."""
        rows = self._ledger.waiting(inbox.name) if self._ledger and self._alive else []
        for row in rows:
            if row.source == name:
                return row.why, f"it waits, {ago(time.time() - row.since)} so far: {row.says}"
        return None

    def _waits(self, inbox: Inbox, name: bytes) -> tuple[str, str]:
        """Return what a regular file in an inbox waits for, as code and sentence."""
        ask = not filesystem_of(inbox.path).network
        peek = lease.peek(claiming.inbox_path(inbox, name), ask_writer=ask)
        if inbox.originals == "keep" and any(
            claiming.kept_marker(spool, inbox, name, peek.fingerprint).exists()
            for spool in self._spools
        ):
            return "kept", "it was taken already, and is kept in its place (originals = keep)"
        ending = endmark.ending(peek.head, peek.tail, peek.fingerprint.size)
        seen = settle.Sighting(0.0, peek.fingerprint, peek.writer, ending)
        network = not ask
        policy = (
            settle.SettlePolicy.auto(network=network)
            if inbox.settle is None
            else settle.SettlePolicy.fixed(inbox.settle)
        )
        _, verdict = settle.look(None, seen, policy)
        if isinstance(verdict, settle.Waiting):
            return verdict.why.value, f"it waits: {verdict.sentence}"
        return self._turn(inbox)

    def _turn(self, inbox: Inbox) -> tuple[str, str]:
        """Return what a whole file waits for that is not among those that the daemon names."""
        if self._ledger and self._alive and (row := self._ledger.inboxes().get(inbox.name)):
            listed = len(self._ledger.waiting(inbox.name))
            if row.waiting > listed:
                return "no-place", f"it is whole and waits for its turn, as one of {row.waiting}"
        return "next", "it is whole and is taken next"

    def _hindrances(self, inbox: Inbox, code: str) -> list[str]:
        """Return what stands in the way of every file of the inbox, but not `code` again."""
        if not self._alive or self._ledger is None:
            return ["the daemon is not running; `watcherd up` starts it", *self._hidden]
        told = [*self._hidden]
        row = self._ledger.inboxes().get(inbox.name)
        if row is not None and row.paused and code != "paused":
            told.append(f"the inbox is paused; `watcherd resume {inbox.name}` ends that")
        if row is not None and row.trouble:
            told.append(f"the inbox is in trouble: {display(row.trouble)}")
        for spool in self._spools:
            try:
                free = shutil.disk_usage(spool.root).free
            except OSError as error:
                told.append(_unreadable(error))
                continue
            if free < self._config.min_free and not (row and row.trouble):
                told.append(f"{spool.root} has {free} bytes free, fewer than min_free")
        busy = sum(job.inbox == inbox.name for job in self._ledger.unfinished())
        if busy >= self._config.ahead and code != "no-place":
            told.append(f"{busy} jobs are in work; the next file is taken when one is done")
        return told

    def _twins(self, inbox: Inbox, path: Path) -> list[str]:
        """Return whether the same bytes have been a job already, and what follows."""
        row = self._same(inbox, path)
        if row is None:
            return []
        then = "it will be skipped" if inbox.duplicates == "skip" else "it is taken all the same"
        return [f"the same bytes are job {row.job} already; {then} (duplicates)"]

    def _same(self, inbox: Inbox, path: Path) -> Job | None:
        try:
            if self._ledger is None or path.lstat().st_size > _HASHED:
                return None
            return self._ledger.same(inbox.name, files.sha256(path), "")
        except OSError:
            return None

    # Elsewhere

    def _elsewhere(self, path: Path, real: Path) -> Answer:
        told, row = list[str](), None
        try:
            row = self._job_of(path, real)
        except OSError as error:
            told.append(_unreadable(error))
        if row is not None:
            code = "output" if {str(path), str(real)} & set(row.outputs) else "original"
            what = f"it belongs to the inbox {row.inbox}, from {display(row.source)}"
            return Answer(str(path), code, (what, sentence(row)), row.inbox, row.source, row.job)
        inboxes = ", ".join(f"{i.name} ({i.path})" for i in self._config.inboxes)
        told.append(f"it lies in none of the inboxes: {inboxes}")
        try:
            if not _there(path):
                told.insert(0, "there is no such file")
            elif path.is_file():
                same = [row for i in self._config.inboxes if (row := self._same(i, real))]
                told += [f"its bytes came through the inbox {r.inbox}: {sentence(r)}" for r in same]
        except OSError as error:
            told.insert(0, _unreadable(error))
        return Answer(str(path), "elsewhere", tuple(told))

    def _job_of(self, path: Path, real: Path) -> Job | None:
        """Return the job whose output, original, sidecar or directory this is."""
        if self._ledger is None:
            return None
        names = [part for part in path.parts if JOB.fullmatch(part)]
        if path.name.endswith(".error.json"):
            names.append(str((files.read_json(path) or {}).get("job")))
        for name in names:
            if self._ledger.knows(name):
                return self._ledger.get(name)
        return self._ledger.placed(str(path)) or self._ledger.placed(str(real))
