"""What a stage may cost: memory is bounded, life is shown, and overtime ends the process."""

from __future__ import annotations

import mmap
import os
import resource
import threading
import time

import pytest
from kills import fork, status

from tasks import limits


def rlimit() -> tuple[int, int]:
    return resource.getrlimit(resource.RLIMIT_DATA)


def taken() -> int:
    """Return the bytes of data that this process has."""
    return limits._data_bytes()


def test_memory_beyond_the_limit_is_refused():
    """A page that unfolds into more than it may take gets a MemoryError, not the machine's end."""
    before = rlimit()
    with limits.memory(taken() + limits.CODE + (100 << 20)):
        small = bytearray(10 << 20)
        with pytest.raises(MemoryError):
            bytearray(200 << 20)
    assert rlimit() == before
    assert len(small) + len(bytearray(200 << 20)) == 210 << 20


def test_what_the_process_has_counts():
    """The limit is on the process, with what earlier pages have left, not on the page alone."""
    total = taken() + limits.CODE + (200 << 20)
    with limits.memory(total):
        assert len(bytearray(150 << 20)) == 150 << 20
    left = bytearray(100 << 20)
    with limits.memory(total), pytest.raises(MemoryError):
        bytearray(150 << 20)
    assert left


def test_a_process_that_has_grown_still_does_a_page():
    """However much a process has, an ordinary page fits."""
    with limits.memory(1 << 20):
        assert len(bytearray(limits.LEAST - (4 << 20))) > 0


def test_the_limit_is_taken_back_after_an_error():
    """Whatever ends the work, the next page starts with all of its own."""
    before = rlimit()
    with pytest.raises(ZeroDivisionError), limits.memory(50 << 20):
        raise ZeroDivisionError
    assert rlimit() == before


def test_a_limit_of_the_machine_is_not_lifted():
    """Where the process may take less already, it stays with that."""

    def child():
        resource.setrlimit(resource.RLIMIT_DATA, (300 << 20, 400 << 20))
        with limits.memory(1 << 40):
            assert rlimit() == (300 << 20, 400 << 20)

    assert status(fork(child)) == 0


def test_shared_memory_of_a_file_is_not_counted(tmp_path):
    """The engine's data files are mapped, and cost nothing of a page's memory."""
    path = tmp_path / "data"
    with path.open("wb") as file:
        file.truncate(200 << 20)
    with limits.memory(taken() + limits.CODE + (70 << 20)), path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        assert len(mapped) == 200 << 20
        mapped.close()


def test_life_is_shown_while_working(tmp_path, monkeypatch):
    """The sign's time changes again and again, and no more afterwards."""
    monkeypatch.setattr(limits, "BEAT", 0.01)
    sign = tmp_path / "try-ocr-0"
    sign.touch()
    os.utime(sign, ns=(0, 0))
    seen, end = set(), time.monotonic() + 10
    with limits.life(sign, 60, lambda: None):
        while len(seen) < 5 and time.monotonic() < end:
            seen.add(sign.stat().st_mtime_ns)
    assert len(seen) == 5
    assert not [t for t in threading.enumerate() if t.name == "life"]


def test_a_sign_that_is_taken_away_does_no_harm(tmp_path, monkeypatch):
    """A job that was filed under our hands ends by what the work finds, not by its clock."""
    monkeypatch.setattr(limits, "BEAT", 0.01)
    sign = tmp_path / "try-ocr-0"
    sign.touch()
    with limits.life(sign, 60, lambda: None):
        sign.unlink()
        end = time.monotonic() + 0.1
        while time.monotonic() < end:
            assert not sign.exists()


def test_overtime_is_told_and_ends_the_process(tmp_path, monkeypatch):
    """Code that does not come back is killed, and the reason is on disk by then."""
    monkeypatch.setattr(limits, "BEAT", 0.01)
    sign, told = tmp_path / "try-ocr-0", tmp_path / "told"
    sign.touch()

    def child():
        with limits.life(sign, 0.1, told.touch):
            while True:
                pass

    began = time.monotonic()
    assert status(fork(child)) == -9
    assert told.exists()
    assert 0.1 <= time.monotonic() - began < 20


def test_work_in_time_is_not_killed(tmp_path, monkeypatch):
    """A process that ends its work within its time lives on."""
    monkeypatch.setattr(limits, "BEAT", 0.01)
    sign, told = tmp_path / "try-ocr-0", tmp_path / "told"
    sign.touch()
    for _ in range(3):
        with limits.life(sign, 0.2, told.touch):
            end = time.monotonic() + 0.1
            while time.monotonic() < end:
                assert sign.exists()
    assert not told.exists()
