"""Every error of watcherd that a person or another part may meet."""

from __future__ import annotations

from typing import ClassVar


class WatcherdError(Exception):
    """The base of all errors; `exit_code` is what a command ends with."""

    exit_code: ClassVar[int] = 1


class ConfigError(WatcherdError):
    """The configuration cannot be used; `problems` holds one line per mistake."""

    exit_code = 3

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class EnvironmentFault(WatcherdError):
    """The machine, not the document, stands in the way: a full disk, a broker that is away.

    It never counts as an attempt; the work is done when the fault is over.
    """

    exit_code = 4


class Unanswered(EnvironmentFault):
    """A filesystem hangs: whoever asks it waits in the kernel."""


class Newer(EnvironmentFault):
    """What is on disk was written by a later version, which must not be undone."""


class Occupied(EnvironmentFault):
    """Another daemon works here; two must not."""


class NotOurs(WatcherdError):
    """What was named (a job, an inbox) is not known here."""

    exit_code = 2


class Refusal(WatcherdError):
    """The document cannot be done, and another attempt would end the same.

    `code` is a stable slug (`encrypted`, `corrupt`, `unsupported`, `too-large`, `empty`, …),
    `reason` one sentence that a person can act on, `page` the page (from 1) that did it.
    """

    def __init__(self, code: str, reason: str, *, page: int | None = None) -> None:
        self.code = code
        self.reason = reason
        self.page = page
        super().__init__(f"{code}: {reason}")


class Overrun(WatcherdError):
    """A page outran its time or memory; another attempt, alone, may succeed."""

    def __init__(self, code: str, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(f"{code}: {reason}")


class IllegalEvent(WatcherdError):
    """A job in this state cannot meet this event; `expected` are the events that it can."""

    def __init__(self, state: str, event: str, expected: tuple[str, ...]) -> None:
        self.state = state
        self.event = event
        self.expected = expected
        can = ", ".join(expected) or "nothing"
        super().__init__(f"a {state} job cannot meet “{event}”; it can meet: {can}")
