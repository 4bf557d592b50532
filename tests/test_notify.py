"""The notify stage by itself: targets that are no more, and targets that are new."""

from __future__ import annotations

import os

import pytest
from desks import LATE, Desk

from tasks import stage
from tasks.notify import notify
from watcherd import notices
from watcherd.notices import MOST_TRIES, Delivery, Notice


@pytest.fixture
def office(fast, monkeypatch) -> Desk:
    """Give a desk with the target `office`, that this process works on as a worker would."""
    desk = Desk(fast / "desk", notify=["office"])
    monkeypatch.setenv("WATCHERD_CONFIG", str(desk.config.source))
    stage.configuration.cache_clear()
    stage._spools.clear()
    yield desk
    stage.configuration.cache_clear()
    stage._spools.clear()


def written(desk: Desk, *targets: str) -> Notice:
    """Write a notice for these targets."""
    name = f"{desk.sealed().job}.success"
    notice = Notice(name, "scans", "a.pdf", "success", targets, LATE, ("/out/a.pdf",))
    assert notices.write(desk.spool, notice)
    return notice


def test_a_target_that_is_no_more_is_given_up(office):
    """What has left the configuration is over at once, with the reason; others are told."""
    notice = written(office, "gone", "office")
    assert notices.fresh(office.spool, notice)
    notify.run(notice.id)
    assert notices.delivery(office.spool, notice, "office").delivered
    gone = notices.delivery(office.spool, notice, "gone")
    assert gone == Delivery(MOST_TRIES, error="no [notify.gone] in the configuration any more")
    assert not notices.fresh(office.spool, notice)
    assert notices.undelivered(office.spool, notice) == []


def test_a_target_that_waits_for_its_next_try_is_given_up_too(office):
    """Whatever the back-off says: a target that is no more is never due again."""
    notice = written(office, "gone")
    notices.record(office.spool, notice, "gone", Delivery(2, due=LATE * 2.0, error="refused"))
    notify.run(notice.id)
    assert notices.undelivered(office.spool, notice) == []


def test_a_target_that_is_newer_than_the_worker_is_told(office):
    """A worker that has read an older configuration looks again before it gives up a target."""
    stage.configuration()
    with office.config.source.open("a") as file:
        file.write('[notify.new]\ncommand = ["touch", "' + os.fspath(office.root / "told") + '"]\n')
    notice = written(office, "new")
    notify.run(notice.id)
    assert (office.root / "told").exists()
    assert notices.delivery(office.spool, notice, "new").delivered
