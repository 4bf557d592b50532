"""A question to a filesystem is given up when no answer comes."""

from __future__ import annotations

import threading
import time

import pytest

from watcherd import hung
from watcherd.errors import Unanswered


def test_a_question_that_is_answered(tmp_path):
    """An answer is given as it is, and so is an error."""
    assert hung.ask(tmp_path, tmp_path.is_dir) is True
    assert hung.ask(tmp_path, (tmp_path / "none").exists) is False
    with pytest.raises(FileNotFoundError):
        hung.ask(tmp_path, (tmp_path / "none").stat)


def test_a_question_that_is_not_answered(tmp_path):
    """One that hangs is given up, is not asked again meanwhile, and is asked when it is over."""
    over = threading.Event()
    try:
        begun = time.monotonic()
        with pytest.raises(Unanswered, match="hangs"):
            hung.ask(tmp_path, lambda: over.wait(20), 0.2)
        with pytest.raises(Unanswered, match="hangs"):
            hung.ask(tmp_path, lambda: pytest.fail("asked twice"), 10)
        assert time.monotonic() - begun < 5
    finally:
        over.set()
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            assert hung.ask(tmp_path, lambda: 7) == 7
        except Unanswered:
            continue
        return
    pytest.fail("it is still said to hang")
