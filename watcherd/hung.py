"""Questions to a filesystem that may hang: asked on a thread, and given up after a while.

A thread that hangs in the kernel cannot be ended. It is left behind, and as long as it hangs the
same place is not asked again.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

from watcherd.errors import Unanswered

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

_SECONDS = 2.0
_asking: dict[Path, threading.Thread] = {}


def ask(place: Path, question: Callable[[], T], seconds: float = _SECONDS) -> T:
    """Return the answer, or raise what the question raises, or `Unanswered` if none comes."""
    before = _asking.get(place)
    if before is not None and before.is_alive():
        raise Unanswered(f"{place} does not answer; its filesystem hangs")
    answers: list[T] = []
    errors: list[BaseException] = []

    def put() -> None:
        try:
            answers.append(question())
        except BaseException as error:  # the asker's to deal with
            errors.append(error)

    thread = threading.Thread(target=put, name=f"ask {place}", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if answers:
        return answers[0]
    _asking[place] = thread
    raise Unanswered(f"{place} does not answer; its filesystem hangs")
