"""Retry, cancel, pause, resume: asked of a real daemon, and of none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from premises import Premises, daemon, wait_for

from watcherd.lifecycle import State

if TYPE_CHECKING:
    from collections.abc import Iterator

WATCHED = """
[watcherd]
state_dir = "state"
[[inbox]]
name = "scanner"
path = "inbox"
outbox = "outbox"
settle = 0
"""


@pytest.fixture
def premises(tmp_path) -> Iterator[Premises]:
    with Premises(tmp_path, WATCHED) as premises:
        yield premises


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[Premises]:
    """Give premises with a daemon that has no workers: jobs stay queued."""
    with Premises(tmp_path_factory.mktemp("running"), WATCHED) as premises, daemon(premises):
        yield premises


def taken(premises: Premises, name: str) -> str:
    """Drop a file and return its job."""
    draft = premises.inbox / ".draft"
    draft.write_bytes(name.encode())
    draft.rename(premises.inbox / name)
    found = wait_for(lambda: premises.ledger.by_source("scanner", name.encode()))
    return found[0].job


def state(premises: Premises, job: str) -> str:
    return premises.ledger.get(job).state.value


def test_a_job_is_cancelled_and_taken_up_again(running):
    """Cancel files the original in failed/, retry brings the job back; each says what it did."""
    job = taken(running, "letter.pdf")
    said = running.run("cancel", job)
    assert (said.code, said.out) == (0, f"{job}: it is being cancelled\n")
    wait_for(lambda: state(running, job) == State.CANCELLED)
    assert (running.failed / "letter.pdf").read_bytes() == b"letter.pdf"
    said = running.run("retry", job[-8:])
    assert said.code == 0
    assert said.out.startswith(f"{job}: ")
    wait_for(lambda: state(running, job) in (State.READY, State.QUEUED))
    assert not (running.failed / "letter.pdf").exists()


def test_what_is_refused_ends_with_1(running):
    """A job that is in work cannot be retried; one that is cancelled not cancelled again."""
    job = taken(running, "refused.pdf")
    said = running.run("retry", job)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"watcherd: {job}: it is ")
    assert said.err.endswith(", so there is nothing to retry\n")
    running.run("cancel", job)
    wait_for(lambda: state(running, job) == State.CANCELLED)
    assert running.run("cancel", job).code == 1


def test_a_paused_inbox_keeps_its_files(running):
    """While an inbox is paused its files wait; resumed, they are taken."""
    assert running.run("pause", "scanner").out == "scanner is paused\n"
    (running.inbox / "later.pdf").write_bytes(b"later")
    wait_for(lambda: running.ledger.waiting("scanner"))
    assert running.run("status", "--json").json["inboxes"][0]["paused"] is True
    assert "paused" in running.run("explain", "later.pdf").out
    assert running.run("resume", "scanner").out == "scanner is resumed\n"
    assert wait_for(lambda: running.ledger.by_source("scanner", b"later.pdf"))


def test_without_a_daemon_a_request_is_filed_once(premises):
    """A request waits for the daemon, which is said at once; asked twice it is one request."""
    job = premises.job(state=State.FAILED, reason="no", code="corrupt")
    for _ in range(2):
        said = premises.run("retry", job)
        assert said.code == 0
        assert said.err == (
            f"{job}: retry is filed; the daemon is not running and will see to it\n"
        )
    assert [(r.verb, r.target) for r in premises.ledger.open_requests()] == [("retry", job)]


def test_what_is_filed_is_answered_when_the_daemon_starts(premises):
    """A daemon that starts answers what was asked while none ran."""
    premises.job(state=State.DONE)
    premises.run("pause", "scanner")
    with daemon(premises):
        wait_for(lambda: not premises.ledger.open_requests())
    assert premises.ledger.inboxes()["scanner"].paused


def test_all_that_failed_can_be_retried(premises):
    """--failed asks for every failed job, of one inbox if it is named; the oldest first."""
    premises.configure(
        premises.file.read_text()
        + '[[inbox]]\nname = "fax"\npath = "fax"\noutbox = "outbox"\n'
    )  # fmt: skip
    premises.job(state=State.DONE)
    failed = [premises.job(state=State.FAILED, reason="no", code="x") for _ in range(2)]
    faxed = premises.job(state=State.FAILED, reason="no", code="x", inbox="fax")
    premises.run("retry", "--failed", "--inbox", "fax")
    premises.run("retry", "--failed")
    asked = [request.target for request in premises.ledger.open_requests()]
    assert asked == [faxed, *failed]


def test_nothing_failed_is_no_error(premises):
    """With nothing to retry, that is said."""
    premises.job()
    said = premises.run("retry", "--failed")
    assert (said.code, said.err) == (0, "no job has failed\n")


@pytest.mark.parametrize(
    "words",
    [
        ("retry",),
        ("retry", "x", "--failed"),
        ("retry", "x", "--inbox", "scanner"),
        ("cancel",),
        ("pause",),
        ("resume", "nope"),
        ("cancel", "nosuchjob"),
    ],
)
def test_wrong_words_end_with_2(premises, words):
    """Nothing named, too much named, or something that is not there: 2, and a sentence."""
    premises.job()
    said = premises.run(*words)
    assert said.code == 2
    assert said.err


@pytest.mark.parametrize("words", [("retry", "--failed"), ("cancel", "abc"), ("pause", "scanner")])
def test_before_the_daemon_ever_ran_it_ends_with_4(premises, words):
    """Without a ledger nothing can be filed, and none is made."""
    assert premises.run(*words).code == 4
    assert not (premises.root / "state").exists()
