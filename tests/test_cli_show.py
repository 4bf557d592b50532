"""`watcherd show`: a job's row, its steps, its pages, and who was told."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from premises import Premises

from watcherd import notices
from watcherd.lifecycle import State
from watcherd.notices import Delivery, Notice
from watcherd.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def premises(tmp_path) -> Iterator[Premises]:
    with Premises(tmp_path) as premises:
        yield premises


def record(premises: Premises, spool: Spool, pages: list[object]) -> str:
    """Leave a finished job behind, with its record in the spool."""
    job = spool.new_job()
    for n, facts in enumerate(pages, 1):
        job.page(n).mkdir(parents=True)
        (job.page(n) / "page.json").write_text(json.dumps(facts))
    job.path.rename(spool.records / job.job)
    ledger = premises.ledger
    ledger.add(job.job, "scanner", b"scan.pdf", 10, "0" * 64, time.time())
    ledger.reach(job.job, State.DONE, outputs=["/o/scan.pdf"], filed="/a/scan.pdf")
    return job.job


@pytest.fixture
def spool(premises) -> Spool:
    return Spool.make(premises.root / ".watcherd")


def test_it_shows_steps_and_pages(premises, spool):
    """History, pages with their facts, and where original and outputs are."""
    facts = {"words": 12, "confidence": 91.5, "seconds": 0.4, "notes": ["turned"]}
    job = record(premises, spool, [facts, facts | {"words": 3}])
    shown = premises.run("show", job, "--json").json
    assert [step["event"] for step in shown["history"]] == ["dispatched", "started", "completed"]
    assert [page["words"] for page in shown["pages"]] == [12, 3]
    assert shown["pages"][0]["notes"] == ["turned"]
    assert shown["filed"] == "/a/scan.pdf"
    text = premises.run("show", job).out
    assert "original\t/a/scan.pdf (taken away since)\n" in text
    assert "output\t/o/scan.pdf\n" in text
    assert "\ncompleted\t" not in text
    assert "1\t12\t91.5\t0.4\tturned\n" in text
    assert "CONFIDENCE" in premises.look("show", job).out


@pytest.mark.parametrize("facts", [[], "x", {"words": "many", "notes": "no", "seconds": True}])
def test_pages_are_not_believed(premises, spool, facts):
    """Whatever stands in a page's record, show shows what makes sense of it."""
    job = record(premises, spool, [facts])
    (page,) = premises.run("show", job, "--json").json["pages"]
    assert (page["words"], page["seconds"], page["notes"]) == (None, None, [])


def test_it_shows_who_was_told(premises, spool):
    """Of each target: told, still to be told, or given up, with the reason."""
    job = record(premises, spool, [])
    targets = ("office", "boss", "printer")
    notice = Notice(f"{job}.success", "scanner", "scan.pdf", "success", targets, 0)
    notices.write(spool, notice)
    notices.record(spool, notice, "office", Delivery(1, delivered=True))
    notices.record(spool, notice, "boss", Delivery(2, due=1.8e9, error="refused"))
    notices.record(spool, notice, "printer", Delivery(notices.MOST_TRIES, error="gone"))
    lines = premises.run("show", job).out.splitlines()[-3:]
    assert lines == [
        "office was told of the success",
        "boss is still to be told of the success, next at 2027-01-15T08:00:00Z: refused",
        f"printer could not be told of the success, after {notices.MOST_TRIES} tries: gone",
    ]
    told = premises.run("show", job, "--json").json["notices"]
    assert [row["given_up"] for row in told] == [False, False, True]


def test_a_job_is_known_by_its_end(premises):
    """As much of an id as only one job has is enough, from either end."""
    first = premises.job()
    premises.job()
    assert premises.run("show", first[-5:], "--json").json["job"] == first
    said = premises.run("show", "abcd-")
    assert said.code == 2
    assert "may be any of" in said.err
    assert premises.run("show", "nosuchjob").code == 2
    assert premises.run("show", "zz").code == 2


def test_before_the_daemon_ran_it_ends_with_4(premises):
    """Without a ledger there is nothing to show, and what to do is said."""
    said = premises.run("show", "abcd")
    assert said.code == 4
    assert "`watcherd up` starts it" in said.err
