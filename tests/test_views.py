"""The JSON contract: which keys there are, and what stands in them."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from needs import needs
from premises import Premises

from watcherd import views
from watcherd.errors import EnvironmentFault
from watcherd.ledger import DaemonRow, Waiting
from watcherd.lifecycle import State

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS = {
    *("job", "inbox", "source", "state", "stage", "progress", "outputs", "reason", "code"),
    *("attempts", "confidence", "review", "created", "finished", "seconds"),
}
NOW = 1_800_000_000.0


@pytest.fixture
def premises(tmp_path) -> Iterator[Premises]:
    with Premises(tmp_path) as premises:
        yield premises


def test_a_job_has_the_keys_of_the_contract(premises):
    """Every promised key is there, with times in UTC and the span in seconds."""
    job = premises.job(state=State.DONE, created=NOW, outputs=["/o/a.pdf"], current=2, total=2)
    row = premises.ledger.get(job)
    shown = views.job(row, NOW)
    assert shown.keys() == KEYS
    assert shown["created"] == "2027-01-15T08:00:00.000+00:00"
    assert shown["state"] == "done"
    assert shown["progress"] == {"current": 2, "total": 2}
    assert shown["outputs"] == ["/o/a.pdf"]


def test_a_waiting_file_has_the_same_keys():
    """A file that is no job yet: `job` is null, reason and code say what it waits for."""
    shown = views.waiting(Waiting("scanner", b"a.pdf", 3, NOW - 5, "settling", "it waits"), NOW)
    assert shown.keys() == KEYS
    assert (shown["job"], shown["state"], shown["seconds"]) == (None, "waiting", 5.0)
    assert (shown["code"], shown["reason"]) == ("settling", "it waits")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.binary(min_size=1, max_size=40))
def test_any_name_comes_through_json(name):
    """A source is exact: in `source` if it is UTF-8, in `source_b64` if it is not."""
    row = Waiting("scanner", name, 0, NOW, "x", "y")
    shown = json.loads(json.dumps(views.waiting(row, NOW)))
    if "source_b64" in shown:
        assert base64.b64decode(shown["source_b64"]) == name
    else:
        assert shown["source"].encode() == name


def test_outputs_that_are_not_utf8_are_exact_too(premises):
    """Paths that JSON cannot hold have a key with their bytes beside them."""
    path = os.fsdecode(b"/o/\xff.pdf")
    job = premises.job(b"\xff.tif", State.DONE, outputs=[path], filed=path)
    shown = views.job_whole(premises.ledger.get(job), NOW)
    assert shown["outputs"] == ["/o/\\xff.pdf"]
    assert [base64.b64decode(one) for one in shown["outputs_b64"]] == [b"/o/\xff.pdf"]
    assert base64.b64decode(shown["filed_b64"]) == b"/o/\xff.pdf"
    json.dumps(shown).encode()


def test_what_is_in_work_comes_first(premises):
    """Running, queued, ready; then what waits; then what has ended, the newest first."""
    for state in (State.READY, State.DONE, State.QUEUED, State.FAILED, State.RUNNING):
        premises.job(state.encode(), state)
    ledger = premises.ledger
    ledger.set_waiting("scanner", [Waiting("scanner", b"w", 0, NOW, "x", "y")], 1, "scan", None)
    shown = [row["source"] for row in views.jobs(ledger, now=NOW)]
    assert shown == ["running", "queued", "ready", "w", "failed", "done"]
    assert [row["source"] for row in views.jobs(ledger, now=NOW, limit=5)] == shown[:5]
    assert [row["source"] for row in views.jobs(ledger, now=NOW, limit=2)] == shown[:2]


def test_a_dead_program_is_no_daemon():
    """A daemon lives while its program does and its sign of life is fresh."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    now = time.time()
    assert not views.alive(None)
    assert not views.alive(DaemonRow(child.pid, now, now, None), now)
    assert views.alive(DaemonRow(os.getpid(), now, now, None), now + 5)
    assert not views.alive(DaemonRow(os.getpid(), now, now, None), now + views.FRESH_SECONDS + 1)


def test_a_ledger_is_not_made_by_looking(premises):
    """Where the daemon has never run there is no ledger, and looking makes none."""
    assert views.open_ledger(premises.config) is None
    assert not (premises.root / "state").exists()


STRANGER = """
import os, pathlib, pwd, sys
from watcherd import config, views
os.seteuid(65534)
try:
    views.open_ledger(config.load(pathlib.Path(sys.argv[1])))
except Exception as error:
    print(type(error).__name__, error)
"""


def test_a_ledger_of_somebody_else_says_whose():
    """A ledger that we may not write is a fault that names its owner and what to do."""
    needs("root")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with Premises(Path(folder)) as premises:
            premises.job()
        said = subprocess.run(
            [sys.executable, "-c", STRANGER, premises.file],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    assert said.startswith(EnvironmentFault.__name__)
    assert "belongs to user root" in said
    assert "sudo -u" in said
