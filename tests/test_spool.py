"""The spool: made once, named, versioned, and locked by one daemon."""

from __future__ import annotations

import json
import os

import pytest
from kills import every_kill, fork, status

from watcherd.errors import EnvironmentFault
from watcherd.jobfiles import JOB
from watcherd.spool import Spool, Spools


def test_a_spool_keeps_its_name(fast):
    """Who makes it again, or opens it, gets the same one; its parents are made."""
    made = Spool.make(fast / "a" / "spool")
    assert Spool.make(made.root).name == Spool(made.root).name == made.name
    assert sorted(os.listdir(made.root)) == [
        "kept", "notices", "parked", "records", "spool.json", "work",
    ]  # fmt: skip


def test_making_survives_a_kill_anywhere(fast):
    """Killed before any step, the next start makes a whole spool of it."""
    count = 0

    def prepare():
        nonlocal count
        count += 1
        root = fast / str(count)
        return root, lambda: Spool.make(root)

    for step, root in every_kill(prepare):
        assert Spool.make(root).new_job().path.is_dir(), step


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "is not a spool"),
        ("[]", "is not a spool"),
        ({"schema": 2, "name": "abcd"}, "newer watcherd"),
        ({"schema": "x", "name": "abcd"}, "newer watcherd"),
        ({"name": "abcd"}, "newer watcherd"),
    ],
)
def test_what_cannot_be_read_is_not_used(fast, content, says):
    """A folder that is no spool, or a newer one, is left as it is."""
    if content is not None:
        text = content if isinstance(content, str) else json.dumps(content)
        (fast / "spool.json").write_text(text)
    with pytest.raises(EnvironmentFault, match=says):
        Spool(fast)


def test_ids_are_unique_and_in_order(fast):
    """Every job has an id of its own, which names its spool and sorts by age."""
    spool = Spool.make(fast)
    ids = [spool.new_job().job for _ in range(200)]
    assert len(set(ids)) == 200
    assert all(JOB.fullmatch(i) and i.startswith(spool.name + "-") for i in ids)
    assert [i[:14] for i in ids] == sorted(i[:14] for i in ids)
    (spool.work / "stranger").mkdir()
    (spool.work / (ids[0] + ".ended")).mkdir()
    assert [j.job for j in spool.jobs()] == sorted(ids)
    assert list(spool.jobs(spool.parked)) == []


def test_a_job_is_found_by_its_id_alone(fast):
    """Of many spools the id names one; what is no id names none."""
    spools = [Spool.make(fast / str(n)) for n in range(3)]
    known = Spools(spools)
    for spool in spools:
        assert known.of(spool.new_job().job) is spool
    for name in ("zzzz-00000000000000", "", "../x", spools[0].name, f"{spools[0].name}-x"):
        assert known.of(name) is None


def test_a_lock_ends_with_its_process(fast):
    """While a daemon lives no other gets in; when it is killed the next one does."""
    spool = Spool.make(fast)
    read, write = os.pipe()

    def daemon():
        Spool(fast).lock()
        os.write(write, b"in")
        os.close(write)
        os.kill(os.getpid(), 9)

    first = Spool(fast)
    first.lock()
    with pytest.raises(EnvironmentFault, match="stop it first"):
        spool.lock()
    os.close(first._lock)
    assert status(fork(daemon)) == -9
    os.close(write)
    assert os.read(read, 9) == b"in"
    os.close(read)
    spool.lock()
