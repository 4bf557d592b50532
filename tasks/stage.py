"""A stage: skip if landed, count the attempt, work, land. Every task of a document runs in here.

A stage may run more than once, at the same time, after its job has ended, and may be killed at
any instruction. What keeps that harmless is on disk, see README.md, “What if it dies
here?”.
"""

from __future__ import annotations

import errno
import functools
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from celery.exceptions import Ignore

from tasks import inputs, limits
from tasks.document import Document
from watcherd import config, hung, log, places
from watcherd.errors import EnvironmentFault, NotOurs, Overrun, Refusal, Unanswered
from watcherd.jobfiles import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from watcherd.config import Config, Inbox
    from watcherd.jobdir import JobDir
    from watcherd.jobfiles import Claim
    from watcherd.log import Logger
    from watcherd.model import JobFacts, Try
    from watcherd.spool import Spool, Spools

_FAULTS = frozenset({
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ESTALE, errno.EACCES, errno.EPERM,
    errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOTCONN, errno.EHOSTDOWN, errno.ETIMEDOUT,
})  # fmt: skip
_GRACE = 10.0
"""Seconds that a stage may take beyond its page's limit: decoding, landing."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What a stage works on."""

    config: Config
    inbox: Inbox
    spool: Spool
    job: JobDir
    claim: Claim
    log: Logger

    def sheet(self) -> tuple[Path, Document]:
        """Return what is to be read, and what it is, as the landed plan says.

        A plan of an earlier version says nothing: then the original is asked. Raises as
        `inputs.open_document`, and OSError if the plan's copy of the original is gone.
        """
        document = Document.from_json(self.job.planned())
        if document is None:
            opened = inputs.open_document(self.job.source, self.claim.options.limits)
            return self.job.source, opened.document
        return (self.job.readable if document.copied else self.job.source), document


@dataclass(frozen=True, slots=True)
class Stage:
    """One kind of work, and when it is done already."""

    name: str  # ocr, pdf: what the ledger and the error record say
    key: str  # of its attempts
    landed: Callable[[JobFacts], bool]
    work: Callable[[Bench], None]
    seconds: float  # wall clock
    page: int | None = None


@functools.cache
def configuration() -> Config:
    """Return the configuration of this worker, read once."""
    return config.load()


_spools: list[Spools] = []
_unforgotten: list[Path] = []


def spool_of(job: str) -> Spool | None:
    """Return the spool of a job; spools that were made since are found."""
    if not _spools or _spools[0].of(job) is None:
        _spools[:] = [places.known(configuration())]
    return _spools[0].of(job)


def run(job_id: str, make: Callable[[Bench], Stage]) -> None:
    """Run a stage of a job so that its results have landed.

    Raises `Ignore`, which ends the chain, if they have not: the message is stale, the document
    was refused, or the attempt failed and the daemon will submit another.
    """
    try:
        bench = _bench(job_id)
    except Unanswered as fault:
        raise _faulted(log.get(job=job_id), fault) from fault
    if bench is None:
        raise Ignore
    stage = make(bench)
    facts = bench.job.facts()
    if facts is None or facts.outcome is not None or not (facts.sealed and facts.source):
        raise Ignore  # it has ended, or was taken away
    if stage.landed(facts):
        return
    _attempt(bench, stage)


def _bench(job_id: str) -> Bench | None:
    spool = spool_of(job_id)
    if spool is None:
        log.get().warning("message_of_unknown_spool", job=job_id)
        return None
    job = spool.job(job_id)
    claim = hung.ask(spool.root, job.claim)  # a worker that hangs would be missing to other inboxes
    if claim is None:
        return None
    settings = configuration()
    try:
        inbox = settings.inbox(claim.inbox)
    except NotOurs as error:
        log.get().warning("message_of_unknown_inbox", job=job_id, says=str(error))
        return None
    return Bench(settings, inbox, spool, job, claim, log.get(job=job_id, inbox=inbox.name))


def _attempt(bench: Bench, stage: Stage) -> None:
    started = time.monotonic()
    line = bench.log.bind(stage=stage.name, page=stage.page)
    left, _unforgotten[:] = _unforgotten[:], []
    for old in left:
        _forget(old)
    try:
        _give_up_if_spent(bench, stage)
        sign = bench.job.begin_try(stage.key)
    except OSError as error:
        raise _faulted(line, error) from error
    try:
        with _bounds(bench, stage, sign):
            stage.work(bench)
    except (Overrun, MemoryError) as error:
        raise _ended(bench, sign, line, *_overrun(error)) from error
    except (EnvironmentFault, OSError) as error:
        if isinstance(error, OSError) and error.errno not in _FAULTS:
            raise _ended(bench, sign, line, *_crash(error)) from error
        _forget(sign)
        raise _faulted(line, error) from error
    except Refusal as refusal:
        _forget(sign)
        raise _refused(bench, stage, refusal) from refusal
    except Ignore:
        _forget(sign)
        raise
    except Exception as error:
        line.exception("stage_crashed")
        raise _ended(bench, sign, line, *_crash(error)) from error
    except BaseException:
        _forget(sign)  # told to stop: not the document's fault
        raise
    _forget(sign)
    line.info("stage_finished", seconds=round(time.monotonic() - started, 3))


@contextmanager
def _bounds(bench: Bench, stage: Stage, sign: Path) -> Iterator[None]:
    """Hold time and memory of an attempt."""

    def overrun() -> None:
        bench.job.end_try(sign, "timeout", _late(stage))

    caps = bench.claim.options.limits
    with limits.life(sign, stage.seconds + _GRACE, overrun), limits.memory(caps.page_memory):
        yield


def _late(stage: Stage) -> str:
    what = f"page {stage.page}" if stage.page else f"the {stage.name} stage"
    return f"{what} took longer than {stage.seconds:g} s; raise limits.page_seconds, or look at it"


def _overrun(error: Overrun | MemoryError) -> tuple[str, str]:
    if isinstance(error, Overrun):
        return error.code, error.reason
    return "too-large", "it needs more memory than limits.page_memory allows"


def _crash(error: Exception) -> tuple[str, str]:
    return "crashed", f"{type(error).__name__}: {error}"


def _ended(bench: Bench, sign: Path, line: Logger, code: str, reason: str) -> Ignore:
    """Record a failed attempt; the daemon submits another after the back-off."""
    if not sign.exists():
        return Ignore()  # filed under our hands, or forgotten: nobody waits for this attempt
    with suppress(FileNotFoundError):
        bench.job.end_try(sign, code, reason)
        line.warning("attempt_failed", code=code, reason=reason)
    return Ignore()


def _forget(sign: Path) -> None:
    try:
        sign.unlink(missing_ok=True)
    except NotADirectoryError:
        pass  # cancelled and filed under our hands
    except OSError as error:  # a disk that cannot be written now: remember to take it back
        _unforgotten.append(sign)
        log.get().error("environment_faulted", says=str(error))


def _faulted(line: Logger, error: Exception) -> Ignore:
    """Report a fault of the machine; it counts as no attempt."""
    line.error("environment_faulted", says=str(error))
    return Ignore()


def _refused(bench: Bench, stage: Stage, refusal: Refusal) -> Ignore:
    page = refusal.page or stage.page
    outcome = Outcome(
        "failed",
        int(time.time()),
        stage=stage.name,
        page=page,
        code=refusal.code,
        reason=refusal.reason,
        attempts=len(bench.job.tries(stage.key)) + 1,
    )
    bench.job.conclude(outcome)
    bench.log.warning("document_refused", page=page, code=refusal.code, reason=refusal.reason)
    return Ignore()


def _give_up_if_spent(bench: Bench, stage: Stage) -> None:
    """End the job if this stage was tried as often as allowed. Raises `Ignore` then."""
    tries = bench.job.tries(stage.key)
    if len(tries) < bench.config.attempts:
        return
    if _rival_lives(bench, stage):
        raise Ignore  # the message came twice: the last attempt is not over
    known = [t for t in tries if "code" in t]
    where = f"page {stage.page}" if stage.page else f"the {stage.name} stage"
    code = str(known[-1]["code"]) if known else "crashed"
    reason = str(known[-1]["reason"]) if known else f"{where} killed its worker"
    outcome = Outcome(
        "failed",
        int(time.time()),
        stage=stage.name,
        page=stage.page,
        code=code,
        reason=f"{reason} (given up after {len(tries)} attempts)",
        attempts=len(tries),
    )
    bench.job.conclude(outcome)
    bench.log.warning("stage_given_up", stage=stage.name, page=stage.page, code=code)
    raise Ignore


def _rival_lives(bench: Bench, stage: Stage) -> bool:
    """Tell whether another worker is at this stage: whether its attempts change as time passes."""
    before = _open_tries(bench, stage)
    end = time.monotonic() + 3 * limits.BEAT
    while before and time.monotonic() < end:
        time.sleep(limits.BEAT / 4)
        if _open_tries(bench, stage) != before:
            return True
    return False


def _open_tries(bench: Bench, stage: Stage) -> set[Try]:
    facts = bench.job.facts()
    return {t for t in facts.tries if t.key == stage.key and not t.ended} if facts else set()
