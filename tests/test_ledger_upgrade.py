"""A ledger of an earlier version is brought up to date, whole or not at all."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from watcherd.errors import EnvironmentFault
from watcherd.ledger import Ledger
from watcherd.ledger.store import _SCRIPTS, VERSION
from watcherd.lifecycle import State

if TYPE_CHECKING:
    from pathlib import Path

ENTER = (
    "INSERT INTO job (job, inbox, source, size, sha256, state, outputs, filed, created, updated, "
    "finished) VALUES (?, 'scans', ?, 1, ?, ?, ?, ?, ?, 0, ?)"
)


def made(file: Path, version: int) -> None:
    """Make a ledger as that version did, and let it enter jobs as that one did."""
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        for script in _SCRIPTS[:version]:
            db.executescript(files("watcherd.ledger").joinpath(script).read_text("utf-8"))
        db.execute(f"PRAGMA user_version = {version}")
        for number, state in enumerate(("done", "done", "failed", "ready")):
            ended = None if state == "ready" else 9.0
            at = (f"abcd-{number}xyz", b"%d.pdf" % number, "0" * 64, state, "[]", b"/a", number)
            db.execute(ENTER, (*at, ended))
            outputs = json.dumps([f"/o/{number}.pdf"])
            db.execute("UPDATE job SET outputs = ? WHERE job = ?", (outputs, at[0]))
            db.execute(
                "INSERT INTO transition (job, at, event, before, after) "
                "VALUES (?, 1, 'dispatched', 'ready', 'queued')",
                (at[0],),
            )


def shape(file: Path) -> list[tuple[str, ...]]:
    """Return all that the schema holds."""
    with closing(sqlite3.connect(file)) as db:
        return db.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()


@pytest.mark.parametrize("version", range(1, VERSION + 1))
def test_an_earlier_ledger_is_brought_up_to_date(fast, version):
    """It has the form of a new one, its jobs and history are there, and all lookups find them."""
    file = fast / "old.db"
    made(file, version)
    Ledger(fast / "new.db").close()
    with closing(Ledger(file)) as ledger:
        assert ledger.counts() == {
            ("scans", "done"): 2,
            ("scans", "failed"): 1,
            ("scans", "ready"): 1,
        }
        assert ledger.placed("/o/2.pdf").job == "abcd-2xyz"
        assert ledger.named("3xyz", 5) == ["abcd-3xyz"]
        assert [j.job for j in ledger.by_source("scans", b"1.pdf")] == ["abcd-1xyz"]
        assert [j.job for j in ledger.jobs(limit=2)] == ["abcd-3xyz", "abcd-2xyz"]
        assert [t.event for t in ledger.history("abcd-0xyz")] == ["dispatched"]
        ledger.reach("abcd-3xyz", State.DONE)
        assert ledger.counts()["scans", "done"] == 3
    assert shape(file) == shape(fast / "new.db")


def test_an_upgrade_that_fails_leaves_the_ledger_as_it_was(fast):
    """What stops a step half way is a fault of the machine; the step is undone and done again."""
    file = fast / "old.db"
    made(file, 1)
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("CREATE TABLE tally (in_the_way)")
    before = shape(file)
    with pytest.raises(EnvironmentFault, match="tally"):
        Ledger(file)
    assert shape(file) == before
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
        db.execute("DROP TABLE tally")
    with closing(Ledger(file)) as ledger:
        assert ledger.counts()["scans", "done"] == 2


def test_who_comes_second_upgrades_nothing(fast, monkeypatch):
    """Of two programs that open an old file at once one upgrades it, and the other sees that."""
    file = fast / "old.db"
    made(file, 1)
    Ledger(file).close()
    before = shape(file)
    monkeypatch.setattr(Ledger, "_version", lambda _: 1)  # as it was when the second one looked
    Ledger(file).close()
    assert shape(file) == before


def test_a_daemon_of_the_version_before_goes_on(fast):
    """A command of the new version upgrades the file under an old daemon, which goes on with it."""
    file = fast / "old.db"
    made(file, 1)
    old = sqlite3.connect(file, isolation_level=None)
    with closing(old), closing(Ledger(file)) as ledger:
        old.execute(ENTER, ("new", b"n", "1", "ready", "[]", None, 7.0, None))
        old.execute("UPDATE job SET state = 'done', finished = 8 WHERE job = 'new'")
        old.execute("UPDATE job SET outputs = ? WHERE job = 'new'", ('["/o/n.pdf"]',))
        old.execute("DELETE FROM job WHERE job = 'abcd-2xyz'")
        assert ledger.counts() == {("scans", "done"): 3, ("scans", "ready"): 1}
        assert ledger.placed("/o/n.pdf").job == "new"
        assert ledger.placed("/o/2.pdf") is None
