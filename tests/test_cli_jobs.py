"""`watcherd jobs`, on ledgers as a daemon leaves them."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING

import pytest
from premises import Premises

from watcherd.ledger import Waiting
from watcherd.lifecycle import State

if TYPE_CHECKING:
    from collections.abc import Iterator

TWO = """
[[inbox]]
name = "fax"
path = "fax"
outbox = "outbox"
"""


@pytest.fixture
def premises(tmp_path) -> Iterator[Premises]:
    with Premises(tmp_path) as premises:
        yield premises


def wait(premises: Premises, *names: bytes, inbox: str = "scanner", count: int = 0) -> None:
    rows = [Waiting(inbox, name, 1, time.time() - 9, "settling", "it waits") for name in names]
    premises.ledger.set_waiting(inbox, rows, count or len(rows), "inotify", None)


def test_nothing_is_an_empty_list(premises):
    """Before the daemon has ever run there is nothing, which is no error."""
    assert premises.run("jobs").out == ""
    said = premises.run("jobs", "--json")
    assert (said.code, said.json) == (0, [])


def test_files_that_wait_are_among_them(premises):
    """What waits has no job yet, and says what it waits for."""
    job = premises.job(state=State.DONE, outputs=["/o/scan.pdf", "/o/scan.txt"])
    wait(premises, b"new.pdf")
    assert premises.run("jobs").out.splitlines() == [
        "-\twaiting\tscanner\t9 s\t\tnew.pdf\tit waits",
        f"{job}\tdone\tscanner\t0 s\t\tscan.pdf\t/o/scan.txt and 1 more",
    ]


def test_files_that_are_merely_counted_are_told_of(premises):
    """The daemon names the first of many files; how many more wait is said beside the list."""
    wait(premises, b"new.pdf", count=7)
    said = premises.run("jobs")
    assert len(said.out.splitlines()) == 1
    assert said.err == "6 more files wait; they are counted and not listed\n"
    assert premises.run("jobs", "--state", "done").err == ""
    assert premises.run("jobs", "--json").err == ""
    assert premises.run("status", "--json").json["inboxes"][0]["waiting"] == 7


def test_filters(premises):
    """By state, more than one; by inbox; by number, where 0 is all."""
    premises.configure(premises.file.read_text() + TWO)
    premises.job(b"a", State.DONE)
    premises.job(b"b", State.FAILED, reason="broken", code="corrupt")
    premises.job(b"c", State.DONE, inbox="fax")
    wait(premises, b"d")

    def names(*words: object) -> list[str]:
        return [row["source"] for row in premises.run("jobs", "--json", *words).json]

    assert names() == ["d", "c", "b", "a"]
    assert names("--state", "failed") == ["b"]
    assert names("-s", "waiting", "-s", "done") == ["d", "c", "a"]
    assert names("--inbox", "fax") == ["c"]
    assert names("--limit", 2) == ["d", "c"]
    assert names("--limit", 0) == ["d", "c", "b", "a"]


def test_what_somebody_should_look_over_is_found(premises):
    """A document that was read unsurely is marked in the list, and listed alone when asked."""
    premises.job(state=State.DONE, outputs=["/o/sure.pdf"], confidence=93.0)
    job = premises.job(
        state=State.DONE,
        outputs=["/o/unsure.pdf"],
        confidence=41.5,
        review=1,
        notes=("page 2 was read with a confidence of 41 only",),
    )
    assert premises.run("jobs").out.count("(look it over)") == 1
    (row,) = premises.run("jobs", "--review", "--json").json
    assert (row["job"], row["review"], row["confidence"]) == (job, True, 41.5)
    shown = premises.run("show", job)
    assert "review\tlook it over\n" in shown.out
    assert "note\tpage 2 was read with a confidence of 41 only\n" in shown.out
    assert premises.run("show", job, "--json").json["notes"] == [
        "page 2 was read with a confidence of 41 only"
    ]


@pytest.mark.parametrize("words", [("--state", "lost"), ("--inbox", "nope"), ("--limit", "-1")])
def test_what_does_not_exist_is_a_mistake_of_usage(premises, words):
    """A state, an inbox or a number that cannot be ends with 2 and says why."""
    said = premises.run("jobs", *words)
    assert said.code == 2
    assert words[1] in said.err


def test_fifty_are_shown_by_default(premises):
    """Without a limit the newest fifty are shown."""
    ledger = premises.ledger
    for n in range(60):
        job = f"abcd-000000000{n:05d}"
        ledger.add(job, "scanner", b"%d" % n, 1, "", 1000.0 + n)
        ledger.reach(job, State.DONE)
    shown = premises.run("jobs", "--json").json
    assert [row["source"] for row in shown] == [str(n) for n in range(59, 9, -1)]


def test_hostile_names_cannot_forge_lines(premises):
    """Line ends, tabs and terminal codes in a name are escaped; in JSON the bytes are exact."""
    name = b"a\nb\tc\x1b[2J\xff.pdf"
    premises.job(name, State.FAILED, reason="no\nway", code="corrupt")
    (line,) = premises.run("jobs").out.splitlines()
    assert line.split("\t")[5:] == ["a\\nb\\tc\\x1b[2J\\xff.pdf", "no\\nway"]
    assert "\x1b[2J" not in premises.look("jobs").out
    (row,) = premises.run("jobs", "--json").json
    assert base64.b64decode(row["source_b64"]) == name


def test_a_terminal_shows_progress(premises):
    """On a terminal a running job has a bar of pages, in a pipe the numbers."""
    premises.job(state=State.RUNNING, current=3, total=8, stage="ocr")
    assert "█░░░░ 3/8" in premises.look("jobs").out
    assert premises.run("jobs").out.split("\t")[4] == "3/8"


def test_a_narrow_terminal_is_not_overrun(premises):
    """Long names and reasons are cut so that a row stays one line."""
    premises.job(b"n" * 200, State.FAILED, reason="r" * 300, code="corrupt")
    lines = premises.look("jobs", COLUMNS="100", NO_COLOR="1").out.splitlines()
    assert len(lines) == 2
    assert max(map(len, lines)) <= 100
