"""What is to be told, to whom, and how far the telling is: all on disk, none of it trusted."""

from __future__ import annotations

import json
import os

import pytest
from desks import LATE
from hypothesis import given
from hypothesis import strategies as st
from kills import every_kill

from watcherd import notices
from watcherd.notices import MOST_TRIES, Delivery, Notice
from watcherd.spool import Spool

JOB = "aaaa-00000000000000"


def notice(kind: str = "success", targets: tuple[str, ...] = ("office", "home")) -> Notice:
    name = f"{JOB}.success" if kind == "success" else notices.failure_id(JOB, LATE)
    return Notice(name, "scans", "a\\xff.pdf", kind, targets, LATE, ("/out/a.pdf",), "code", "why")


@pytest.mark.parametrize("kind", ["success", "failure"])
def test_a_notice_comes_back_as_it_was(desk, kind):
    """The first one of an id is stored, and is what everybody reads."""
    first = notice(kind)
    assert notices.write(desk.spool, first)
    assert not notices.write(desk.spool, notice(kind, ("other",)))
    assert notices.read(desk.spool, first.id) == first


def test_nobody_to_tell_is_no_notice(desk):
    """Without targets nothing is stored."""
    assert not notices.write(desk.spool, notice(targets=()))
    assert os.listdir(desk.spool.notices) == []


def test_writing_a_notice_survives_a_kill_anywhere(desks):
    """Killed before any step, one notice comes of it in the end."""

    def prepare():
        desk = desks()
        return desk, lambda: notices.write(desk.spool, notice())

    for step, desk in every_kill(prepare):
        notices.write(desk.spool, notice())
        assert notices.read(desk.spool, notice().id) == notice(), step
        assert len(os.listdir(desk.spool.notices)) == 1, step


def test_every_target_has_its_own_state(desk):
    """One that was told is not told again because another was not."""
    notices.write(desk.spool, notice())
    assert [t for t, _ in notices.undelivered(desk.spool, notice())] == ["office", "home"]
    notices.record(desk.spool, notice(), "office", Delivery(1, delivered=True))
    failed = Delivery(2, due=9.0, error="refused")
    notices.record(desk.spool, notice(), "home", failed)
    assert notices.undelivered(desk.spool, notice()) == [("home", failed)]
    notices.record(desk.spool, notice(), "home", Delivery(MOST_TRIES, due=9.0))
    assert notices.undelivered(desk.spool, notice()) == []


def test_a_target_is_due_when_its_time_comes(desk):
    """A new notice is submitted by its writer first; later tries come after their back-off."""
    notices.write(desk.spool, notice(targets=("office",)))
    one = notices.read(desk.spool, notice().id)
    assert not notices.due(desk.spool, one, LATE + 1.0)
    assert notices.due(desk.spool, one, LATE + 6.0)
    assert notices.fresh(desk.spool, one)
    notices.record(desk.spool, one, "office", Delivery(1, due=LATE + 30.0, error="x"))
    assert not notices.fresh(desk.spool, one)
    assert not notices.due(desk.spool, one, LATE + 29.0)
    assert notices.due(desk.spool, one, LATE + 30.0)


def test_a_notice_that_is_over_goes_to_its_record(desk):
    """Notices of a job that has a record are kept there, each once; others are forgotten."""
    record = desk.spool.records / JOB
    record.mkdir()
    for kind in ("success", "failure", "success"):
        notices.write(desk.spool, notice(kind))
        notices.store(desk.spool, notice(kind))
    assert sorted(os.listdir(record)) == [f"notice-failure.{LATE}", "notice-success"]
    assert (record / "notice-success" / "notice.json").is_file()
    assert os.listdir(desk.spool.notices) == []


def test_only_the_inbox_that_is_asked_for(desk):
    """Standing notices are given by inbox; what is none is passed over."""
    notices.write(desk.spool, notice())
    (desk.spool.notices / "stranger").mkdir()
    (desk.spool.notices / f"{JOB}.success.x").mkdir()
    assert list(notices.standing(desk.spool, "scans")) == [notice()]
    assert list(notices.standing(desk.spool, "other")) == []


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)


@given(data=st.data())
def test_no_content_of_its_files_raises(tmp_path_factory, data):
    """Notify workers see the network: what they leave is read as something sound or as nothing."""
    spool = Spool.make(tmp_path_factory.getbasetemp() / "notices")
    one = notice("failure")
    notices.write(spool, one)
    folder = spool.notices / one.id
    table = json.loads((folder / "notice.json").read_bytes())
    state = {"tries": 1, "delivered": False, "due": 5.0, "error": None}
    for changed in (table, state):
        key = data.draw(st.sampled_from(sorted(changed)))
        changed[key] = data.draw(values)
    kept = (folder / "notice.json").read_bytes()
    (folder / "notice.json").write_text(json.dumps(table))
    (folder / "office.target.json").write_text(json.dumps(state))
    found = notices.read(spool, one.id)
    if found is not None:
        assert found.kind == "failure"
        assert all("/" not in t and "." not in t for t in found.targets)
        notices.due(spool, found, 10.0)
    told = notices.delivery(spool, one, "office")
    assert told.tries >= 0
    assert told.error is None or isinstance(told.error, str)
    (folder / "notice.json").write_bytes(kept)


@pytest.mark.parametrize(
    "name", ["../x", f"{JOB}", f"{JOB}.other", f"../{JOB}.success", f"{JOB}.failure", ""]
)
def test_what_is_no_id_names_nothing(desk, name):
    """An id from a message is checked before it becomes a path."""
    assert notices.read(desk.spool, name) is None


def test_the_back_off_spans_days():
    """The pauses grow, are bounded, and come to about two days before a target is given up."""
    pauses = [notices.backoff(n) for n in range(1, MOST_TRIES + 1)]
    assert pauses[:3] == [30, 120, 480]
    assert pauses == sorted(pauses)
    assert max(pauses) == 12 * 3600
    assert 1.0 < sum(pauses) / 86400 < 3.0
