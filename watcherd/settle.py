"""When a candidate may be claimed: a decision about sightings, without clock, disk or log.

A candidate settles when nobody writes it and it has not changed for a quiet period. How long
that is depends on what is known: the kernel can tell that no writer is left, the last bytes
that the file is whole. Modification times are only compared with each other, never with a
clock, so a scanner with a wrong date is no trouble.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias

from watcherd.endmark import Ending

if TYPE_CHECKING:
    from watcherd.model import Fingerprint

FIRST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 2.0
"""Seconds between two looks at a candidate: they double from the first to the longest."""


class Writer(StrEnum):
    """Whether some program has the file open for writing."""

    OPEN = "open"
    NONE = "none"  # the kernel says so
    UNKNOWN = "unknown"  # it cannot be asked, or would not know of other hosts


class Why(StrEnum):
    """What a candidate waits for; stable slugs for the ledger, the dashboard and alarms."""

    BEING_WRITTEN = "being-written"
    SETTLING = "settling"
    INCOMPLETE = "incomplete"
    EMPTY = "empty"
    STILL_OPEN = "still-open"  # being written for the longest wait
    STILL_GROWING = "still-growing"  # changing for the longest wait


@dataclass(frozen=True, slots=True)
class Quiet:
    """Seconds without a change that are asked of a file, by its ending."""

    complete: float
    unmarked: float  # of an unknown ending; TIFF pages may be appended
    incomplete: float  # then it is taken, and fails with a clear reason

    def of(self, ending: Ending) -> float:
        """Return the period for this ending."""
        match ending:
            case Ending.COMPLETE:
                return self.complete
            case Ending.INCOMPLETE:
                return self.incomplete
            case Ending.UNKNOWN:
                return self.unmarked


@dataclass(frozen=True, slots=True)
class Sighting:
    """One look at a candidate."""

    at: float  # seconds of the monotonic clock
    fingerprint: Fingerprint
    writer: Writer
    ending: Ending
    close_seen: bool | None = None
    """False when its creation was heard of and its close was not; None where that says nothing:
    it was there before, was moved in, or the folder is not watched by events."""


@dataclass(frozen=True, slots=True)
class SettlePolicy:
    """An inbox's patience, all in seconds. Made by `auto` or `fixed`."""

    exact: Quiet  # the kernel says that nobody writes
    guessed: Quiet  # nobody can say who writes
    unclosed: float  # at least this much when a close is missing and the kernel cannot say
    empty_grace: float = 30.0
    longest_wait: float = 600.0

    @classmethod
    def auto(cls, *, network: bool) -> SettlePolicy:
        """Return the default patience, for a local or a network filesystem."""
        if network:  # a lease knows this host's writers only, and attributes are cached
            remote = Quiet(complete=10.0, unmarked=15.0, incomplete=60.0)
            return cls(exact=remote, guessed=remote, unclosed=15.0)
        return cls(
            exact=Quiet(complete=0.0, unmarked=5.0, incomplete=30.0),
            guessed=Quiet(complete=1.0, unmarked=5.0, incomplete=30.0),
            unclosed=15.0,
        )

    @classmethod
    def fixed(cls, seconds: float) -> SettlePolicy:
        """Return a patience of exactly so many seconds, except that empty files get their grace.

        Raises ValueError for a negative number.
        """
        if not seconds >= 0:
            raise ValueError(f"a quiet period of {seconds} seconds")
        every = Quiet(complete=seconds, unmarked=seconds, incomplete=seconds)
        grace = max(seconds, cls.auto(network=False).empty_grace)
        return cls(exact=every, guessed=every, unclosed=seconds, empty_grace=grace)

    def quiet(self, seen: Sighting) -> float:
        """Return the seconds without a change or a known writer that this sighting asks for."""
        if seen.fingerprint.size == 0:
            return self.empty_grace  # writers create first and fill later
        if seen.writer is Writer.NONE:
            return self.exact.of(seen.ending)
        guess = self.guessed.of(seen.ending)
        return max(guess, self.unclosed) if seen.close_seen is False else guess


@dataclass(frozen=True, slots=True)
class Watched:
    """What is remembered of a candidate between two looks; times as in `Sighting.at`."""

    fingerprint: Fingerprint
    since: float  # the first look that found it so, and without a known writer
    restless: float  # the first look at its present unrest
    open: bool = False  # a writer was known at the last look
    settled: bool = False
    looks: int = 0  # since the last change


@dataclass(frozen=True, slots=True)
class Settled:
    """It may be claimed, if its fingerprint is still this one."""

    fingerprint: Fingerprint
    because: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """It is not to be claimed yet."""

    why: Why
    sentence: str
    again: float  # when to look next, on the clock of `Sighting.at`; always later than it


Verdict: TypeAlias = Settled | Waiting


def look(state: Watched | None, seen: Sighting, policy: SettlePolicy) -> tuple[Watched, Verdict]:
    """Judge a candidate by what was seen before (None: nothing) and now.

    Promises: never settled while a writer is known, nor before the quiet period has passed
    since a look first found it so, without a known writer; but then it is. An extra look does
    no harm. After `longest_wait` of unrest the reason says so; the candidate is not taken.
    """
    watched = _follow(state, seen)
    quiet = policy.quiet(seen)
    due = watched.since + quiet
    if seen.writer is not Writer.OPEN and seen.at >= due:
        return replace(watched, settled=True), Settled(seen.fingerprint, _because(seen, quiet))
    again = seen.at + min(FIRST_PAUSE * 2 ** min(watched.looks, 8), LONGEST_PAUSE)
    if seen.writer is not Writer.OPEN:
        again = min(again, due)
    overlong = watched.since - watched.restless >= policy.longest_wait
    why = _why(seen, overlong=overlong)
    return watched, Waiting(why, _SENTENCES[why].format(quiet=quiet), again)


def _follow(state: Watched | None, seen: Sighting) -> Watched:
    """Carry over what is still true of the candidate."""
    is_open = seen.writer is Writer.OPEN
    if state is None:
        return Watched(seen.fingerprint, since=seen.at, restless=seen.at, open=is_open)
    changed = state.fingerprint != seen.fingerprint
    looks = 0 if changed else state.looks + 1
    if not (changed or is_open or state.open):
        return replace(state, looks=looks)
    # A candidate that had settled and is touched again begins a new unrest.
    restless = seen.at if state.settled else state.restless
    return Watched(seen.fingerprint, seen.at, restless, open=is_open, looks=looks)


def _why(seen: Sighting, *, overlong: bool) -> Why:
    if seen.writer is Writer.OPEN:
        return Why.STILL_OPEN if overlong else Why.BEING_WRITTEN
    if overlong:
        return Why.STILL_GROWING
    if seen.fingerprint.size == 0:
        return Why.EMPTY
    return Why.INCOMPLETE if seen.ending is Ending.INCOMPLETE else Why.SETTLING


def _because(seen: Sighting, quiet: float) -> str:
    if quiet > 0:
        return f"it has not changed for {quiet:g} s"
    if seen.writer is Writer.NONE:
        return "nobody has it open for writing"
    return "no quiet period is asked for"


_SENTENCES: Final = {
    Why.BEING_WRITTEN: "a program has it open for writing",
    Why.SETTLING: "it is taken once it has not changed for {quiet:g} s",
    Why.INCOMPLETE: "its end is missing; it is taken once it has not changed for {quiet:g} s",
    Why.EMPTY: "it is empty; it is given up once nothing has come for {quiet:g} s",
    Why.STILL_OPEN: "a program has had it open for writing for a very long time",
    Why.STILL_GROWING: "it has kept changing for a very long time",
}
