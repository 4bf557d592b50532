"""A job's directory: all that is known of the job, and the only thing workers and daemon share.

work/<job>/
    job.json             what was claimed (before the claim)
    source               the original's bytes, moved here by the claim
    sealed.json          its size, time and hash (after the claim)
    try-<key>-<token>    one per started attempt; grows a reason when it ends with an error
    plan.json            what the original is, and how many pages it has
    readable             what is read instead of an original that is damaged or locked
    pages/<n>/           landed page results
    pdf/                 landed outputs
    publish.<n>.json     the n-th set of names tried in the outbox
    outcome.json         how it ended; made once, by whoever is first
    filed.json           where the original goes
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from watcherd import files
from watcherd.jobfiles import REMARKS, Claim, Outcome, Publication, Seal
from watcherd.model import SCHEMA, Fingerprint, JobFacts, Try

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

_PUBLISH = re.compile(r"publish\.([1-9][0-9]{0,8})\.json")
_REASON = 2000
"""Characters of a reason that are kept."""

_DAMAGED = Outcome(
    "failed",
    0,
    code="damaged",
    reason="the record of how the job ended is damaged; `watcherd retry` takes it up again",
)


class JobDir:
    """The directory of one job, wherever it stands: in work, parked, or among the records."""

    def __init__(self, path: Path) -> None:
        """Name the directory; it need not exist."""
        self.path = path
        self.job = path.name
        self.source = path / "source"
        self.readable = path / "readable"
        self.pages = path / "pages"
        self.built = path / "pdf"

    # What was claimed, and sealed

    def claim(self) -> Claim | None:
        """Return what was claimed, None if job.json is missing, unsound or of another job."""
        claim = Claim.from_json(files.read_json(self.path / "job.json"))
        return claim if claim is not None and claim.job == self.job else None

    def write_claim(self, claim: Claim) -> None:
        """Write job.json."""
        files.write(self.path / "job.json", files.to_json(claim.to_json()))

    def fingerprint(self) -> Fingerprint | None:
        """Return the fingerprint of the original here, None if it is absent or not regular."""
        try:
            found = self.source.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        if not stat.S_ISREG(found.st_mode):
            return None
        return Fingerprint(found.st_size, found.st_mtime_ns, found.st_ino)

    def seal(self) -> Seal | None:
        """Make the original durable and write sealed.json; None if it changed meanwhile."""
        before = self.fingerprint()
        if before is None:
            return None
        files.sync_file(self.source)
        digest = files.sha256(self.source)
        if self.fingerprint() != before:
            return None
        seal = Seal(before.size, before.mtime_ns, digest)
        files.write(self.path / "sealed.json", files.to_json(seal.to_json()))
        return seal

    def read_seal(self) -> Seal | None:
        """Return the seal, None before it is made."""
        return Seal.from_json(files.read_json(self.path / "sealed.json"))

    def intact(self) -> bool:
        """Tell whether the original is still what was sealed, byte for byte."""
        seal, now = self.read_seal(), self.fingerprint()
        if seal is None or now is None or (now.size, now.mtime_ns) != (seal.size, seal.mtime_ns):
            return False
        return files.sha256(self.source) == seal.sha256

    def unseal(self) -> None:
        """Take back all that was made of the original, so that it is sealed and read anew."""
        for name in ("plan.json", "readable", "pages", "pdf"):
            entry = self.path / name
            if os.path.lexists(entry):
                private = files.private_name(entry)  # whole or not at all, also for rivals
                entry.rename(private)
                files.remove_tree(private)
        (self.path / "sealed.json").unlink(missing_ok=True)
        files.sync_dir(self.path)

    # Attempts

    def begin_try(self, key: str) -> Path:
        """Record, durably and before the work, that an attempt begins; return its file."""
        path = self.path / f"try-{key}-{secrets.token_hex(4)}"
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640))
        try:
            files.sync_dir(self.path)
        except BaseException:
            path.unlink(missing_ok=True)  # it has not begun
            raise
        return path

    def end_try(self, path: Path, code: str, reason: str) -> None:
        """Record that an attempt ended with an error; it stays counted.

        Unless it is forgotten already: the job was cancelled, perhaps retried since.
        """
        if not path.exists():
            return
        table = {"schema": SCHEMA, "code": code, "reason": reason[:_REASON]}
        files.write(path, files.to_json(table))

    def tries(self, key: str) -> list[dict[str, Any]]:
        """Return the attempts of a stage or page, the last one last, each with its error if any."""
        mine = [(t.life, name) for name, t in self._tries() if t.key == key]
        return [files.read_json(self.path / name) or {} for _, name in sorted(mine)]

    # Results

    def land(self, private: Path, final: Path) -> bool:
        """Give a private result directory its final name; False if a rival was first."""
        files.sync_tree(private)
        try:
            files.rename_noreplace(private, final)
        except OSError as error:
            if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
                return False
            raise
        files.sync_dir(final.parent)
        return True

    def plan(self) -> int | None:
        """Return the number of pages, None before the plan has landed."""
        table = files.read_json(self.path / "plan.json")
        pages = table.get("pages") if table else None
        return pages if isinstance(pages, int) and 1 <= pages <= 1_000_000 else None  # noqa: PLR2004

    def planned(self) -> Any:
        """Return what the plan says of the document, unchecked; None where it says nothing."""
        return (files.read_json(self.path / "plan.json") or {}).get("document")

    def write_plan(self, pages: int, document: dict[str, Any] | None = None) -> None:
        """Land the plan; the first one stands, if it is sound."""
        with suppress(FileExistsError):
            self.pages.mkdir()
        files.sync_dir(self.path)  # a plan promises the place for its pages
        data = files.to_json({"schema": SCHEMA, "pages": pages, "document": document})
        if not files.create(self.path / "plan.json", data) and self.plan() is None:
            files.write(self.path / "plan.json", data)

    def land_readable(self, private: Path) -> None:
        """Give a copy that is to be read in place of the original its name; the last one stands.

        It comes before the plan: a plan promises it. Rivals make equal ones.
        """
        files.sync_file(private)
        private.rename(self.readable)
        files.sync_dir(self.path)

    def land_outputs(self, private: Path, remarks: dict[str, Any]) -> bool:
        """Land the outputs with what is to be said of them; False if a rival was first."""
        files.write(private / REMARKS, files.to_json(remarks))
        return self.land(private, self.built)

    def remarks(self) -> Any:
        """Return what was said of the landed outputs, unchecked; None where nothing was."""
        return files.read_json(self.built / REMARKS)

    def page(self, n: int) -> Path:
        """Return where the results of a page land."""
        return self.pages / str(n)

    def landed(self) -> frozenset[int]:
        """Return the pages that have landed."""
        try:
            return frozenset(int(n) for n in os.listdir(self.pages) if n.isdecimal())
        except (FileNotFoundError, NotADirectoryError):
            return frozenset()

    # Publishing and the end

    def publication(self, n: int) -> Publication | None:
        """Return the n-th set of names tried, None if there is none."""
        found = Publication.from_json(files.read_json(self.path / f"publish.{n}.json"))
        return found if found is not None and found.n == n else None

    def intend(self, publication: Publication) -> Publication | None:
        """Record a set of names exclusively; return the one that stands for its number.

        None if what stands there is not sound.
        """
        files.create(
            self.path / f"publish.{publication.n}.json", files.to_json(publication.to_json())
        )
        return self.publication(publication.n)

    def publications(self) -> list[Publication]:
        """Return every set of names that was ever tried, in order."""
        names = (_PUBLISH.fullmatch(name) for name in os.listdir(self.path))
        found = (self.publication(n) for n in sorted(int(name[1]) for name in names if name))
        return [one for one in found if one is not None]

    def outcome(self) -> Outcome | None:
        """Return how the job ended, None while it has not.

        A file that is there and is not sound ends the job as well: nobody could replace it.
        """
        path = self.path / "outcome.json"
        outcome = Outcome.from_json(files.read_json(path))
        if outcome is None and os.path.lexists(path):
            outcome = Outcome.from_json(files.read_json(path)) or _DAMAGED  # it came just now
        return outcome

    def conclude(self, outcome: Outcome) -> bool:
        """End the job; False if it has ended already, whatever way."""
        try:
            return files.create(self.path / "outcome.json", files.to_json(outcome.to_json()))
        except FileNotFoundError:
            return False  # it is filed already

    # The whole

    def facts(self) -> JobFacts | None:
        """Return what the directory shows, None if there is none."""
        try:
            names = set(os.listdir(self.path))
        except (FileNotFoundError, NotADirectoryError):
            return None
        outcome = self.outcome() if "outcome.json" in names else None
        return JobFacts(
            source="source" in names and self.fingerprint() is not None,
            sealed="sealed.json" in names and self.read_seal() is not None,
            pages=self.plan() if "plan.json" in names else None,
            landed=self.landed() if "pages" in names else frozenset(),
            built="pdf" in names,
            outcome=outcome.kind if outcome else None,
            tries=tuple(t for _, t in self._tries(names)),
        )

    def _tries(self, names: Collection[str] | None = None) -> Iterator[tuple[str, Try]]:
        for name in sorted(os.listdir(self.path) if names is None else names):
            if name.startswith("try-"):
                with suppress(FileNotFoundError):
                    found = (self.path / name).lstat()
                    key = name.removeprefix("try-").rpartition("-")[0]
                    yield name, Try(key, found.st_mtime_ns, ended=found.st_size > 0)
