"""`watcherd status`, on ledgers as a daemon leaves them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from premises import Premises

from watcherd.ledger import Waiting
from watcherd.lifecycle import State

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def premises(tmp_path) -> Iterator[Premises]:
    with Premises(tmp_path) as premises:
        yield premises


def test_without_a_daemon_it_ends_with_1(premises):
    """Where nothing ever ran, that is said, every inbox is shown, and nothing is made."""
    said = premises.run("status")
    assert said.code == 1
    assert said.out.startswith("the daemon is not running; ")
    assert "scanner\t0" in said.out
    assert not (premises.root / "state").exists()


def test_a_healthy_service_ends_with_0(premises):
    """With a daemon that lives and no trouble all is well."""
    premises.beat()
    for state in (State.RUNNING, State.READY, State.DONE, State.FAILED):
        premises.job(state=state)
    rows = [Waiting("scanner", b"a", 1, time.time() - 30, "settling", "it waits")]
    premises.ledger.set_waiting("scanner", rows, 7, "inotify", None)
    said = premises.run("status")
    assert said.code == 0
    assert said.out.splitlines()[1] == "scanner\t7\t30 s\t2\t1\t1\tinotify\t"


def test_its_json_has_the_numbers(premises):
    """Of every inbox: what waits and since when, what is in work, done, failed, paused."""
    premises.beat()
    premises.job(state=State.SKIPPED, code="duplicate")
    premises.ledger.pause("scanner", paused=True)
    shown = premises.run("status", "--json").json
    assert shown["daemon"]["running"] is True
    assert shown["daemon"]["started"].endswith("+00:00")
    (inbox,) = shown["inboxes"]
    assert inbox == {
        "inbox": "scanner",
        "path": str(premises.inbox),
        "watch": None,
        "paused": True,
        "waiting": 0,
        "oldest": None,
        "in_work": 0,
        "done": 0,
        "failed": 0,
        "skipped": 1,
        "cancelled": 0,
        "trouble": None,
    }
    assert shown["troubles"] == []


@pytest.mark.parametrize("place", ["broker", "inbox"])
def test_trouble_ends_with_1(premises, place):
    """A broker that is away, or a folder in trouble, is said and is no good end."""
    premises.beat("the broker cannot be reached" if place == "broker" else None)
    trouble = "/srv: Permission denied" if place == "inbox" else None
    premises.ledger.set_waiting("scanner", [], 0, "scan", trouble)
    said = premises.run("status")
    assert said.code == 1
    assert ("broker cannot be reached" in said.out) == (place == "broker")
    assert ("inbox scanner: /srv: Permission denied" in said.out) == (place == "inbox")


def test_a_terminal_gets_headings_and_colours(premises):
    """On a terminal there are headings, and colours unless they are not wanted."""
    premises.beat()
    assert "\x1b[32mrunning\x1b[0m" in premises.look("status").out
    plain = premises.look("status", NO_COLOR="1").out
    assert plain.startswith("running for 1 min, pid ")
    assert plain.splitlines()[1].startswith("INBOX    WAITING  OLDEST  IN WORK  DONE")
    assert "\x1b" not in plain


def test_a_broken_configuration_ends_with_3(premises):
    """Every verb that needs the configuration names its mistakes and ends with 3."""
    premises.configure("[watcherd]\nbrokr = 1\n")
    said = premises.run("status")
    assert said.code == 3
    assert len(said.err.splitlines()) == 2
    assert "did you mean 'broker'?" in said.err
