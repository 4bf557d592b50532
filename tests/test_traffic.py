"""Notices at a real broker of which nobody takes messages: few, and ever more seldom."""

from __future__ import annotations

from itertools import pairwise

import pytest
from brokers import embedded
from desks import Desk

from watcherd import log
from watcherd.broker import Window
from watcherd.traffic import NOTICES_WAITING, Traffic

NOTICES = [f"aaaa-{n:014}.success" for n in range(NOTICES_WAITING + 30)]
HOUR = 3600


@pytest.fixture
def config(fast):
    desk = Desk(fast / "d")
    with embedded(desk.config):
        yield desk.config


def test_the_queue_of_notices_is_bounded(config):
    """However many are due and for how long, no more than so many messages wait."""
    traffic, window = Traffic(config, log.get()), Window(config)
    for now in range(0, 2 * HOUR, 10):
        traffic.tell(NOTICES, float(now))
        assert window.waiting("notify") == NOTICES_WAITING


def test_places_that_come_free_are_used(config):
    """What there was no room for is submitted when messages are taken, each one once."""
    traffic, window = Traffic(config, log.get()), Window(config)
    traffic.tell(NOTICES, 0.0)
    taken = window._redis().lpop("notify", 40)
    traffic.tell(NOTICES, 10.0)
    assert window.waiting("notify") == 40
    rows = [*taken, *window._redis().lrange("notify", 0, -1)]
    assert len(set(rows)) == len(NOTICES)


def test_a_notice_is_submitted_ever_more_seldom(config):
    """One that nobody tells goes to the broker after 25 s, after 50, and at last once an hour."""
    traffic, window, seen = Traffic(config, log.get()), Window(config), list[int]()
    for now in range(0, 8 * HOUR, 5):
        traffic.tell(NOTICES[:1], float(now))
        if window.waiting("notify") > len(seen):
            seen.append(now)
    pauses = [after - before for before, after in pairwise(seen)]
    assert pauses[:8] == [25 * 2**n for n in range(8)]
    assert set(pauses[8:]) == {HOUR}


def test_notices_that_are_over_are_forgotten(config):
    """What was told leaves nothing behind."""
    traffic = Traffic(config, log.get())
    for now, notice in enumerate(NOTICES[:20]):
        traffic.tell([notice], now * 60.0)
    assert list(traffic._notices) == NOTICES[19:20]


def test_a_broker_that_is_away_is_tried_again_later(desk):
    """Without a broker nothing is submitted, that is said once, and it is no crash."""
    traffic = Traffic(desk.config, log.get())
    traffic.tell(NOTICES, 0.0)
    assert "cannot be reached" in str(traffic.trouble)
    traffic.tell(NOTICES, 0.1)
    assert traffic._notices == {}
