"""The ledger's file: what cannot be used is a fault of the machine, in words."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from watcherd.errors import EnvironmentFault
from watcherd.ledger import Ledger


@pytest.mark.parametrize("content", ["newer", "garbage", "folder"])
def test_a_file_that_is_no_ledger_says_what_to_do(fast, content):
    """A newer, damaged or impossible file is a fault of the machine, in words."""
    file = fast / "ledger.db"
    if content == "newer":
        with closing(sqlite3.connect(file)) as db:
            db.execute("PRAGMA user_version = 99")
    elif content == "garbage":
        file.write_bytes(b"this is no database at all, " * 99)
    else:
        file.mkdir()
    with pytest.raises(EnvironmentFault, match=str(file)):
        Ledger(file)


def test_a_closed_ledger_is_a_fault(fast):
    """Errors of the driver are translated in one place."""
    ledger = Ledger(fast / "ledger.db")
    ledger.close()
    with pytest.raises(EnvironmentFault):
        ledger.jobs()
