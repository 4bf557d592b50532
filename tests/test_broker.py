"""A look into the broker: the very messages that are submitted, in a real Redis."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from dataclasses import replace

import pytest
from brokers import embedded
from desks import Desk
from hypothesis import given
from hypothesis import strategies as st

from watcherd import broker
from watcherd.dispatch import Dispatcher
from watcherd.errors import EnvironmentFault
from watcherd.model import Message

JOBS = [f"aaaa-{n:014}" for n in range(4)]
MESSAGES = [Message("ocr", JOBS[0]), Message("page", JOBS[1], 7), Message("pdf", JOBS[2])]


@pytest.fixture
def redis(fast):
    """Start the embedded broker as the service does, and give its configuration."""
    desk = Desk(fast / "d")
    with embedded(desk.config) as server:
        yield desk.config, server


def test_what_is_submitted_is_seen(redis):
    """Each message is read back from the queue as it was meant, chains and pages alike."""
    config, _ = redis
    dispatcher, window = Dispatcher(config), broker.Window(config)
    assert window.queued() == set()
    for message in MESSAGES:
        dispatcher.submit(message)
    dispatcher.submit_notice(f"{JOBS[3]}.success")
    assert window.queued() == set(MESSAGES)


def test_what_waits_in_a_queue_is_counted(redis):
    """Messages of one queue are counted, whatever they are; those of others are not."""
    config, _ = redis
    dispatcher, window = Dispatcher(config), broker.Window(config)
    dispatcher.submit(MESSAGES[0])
    for _ in range(3):
        dispatcher.submit_notice(f"{JOBS[3]}.success")
    window._redis().rpush("notify", b"of a stranger")
    assert (window.waiting("ocr"), window.waiting("pdf"), window.waiting("notify")) == (1, 0, 4)


def test_a_flush_is_seen(redis):
    """After the broker has lost everything the queues are empty, and submitting works at once."""
    config, _ = redis
    dispatcher, window = Dispatcher(config), broker.Window(config)
    dispatcher.submit(MESSAGES[0])
    window._redis().flushall()
    assert window.queued() == set()
    dispatcher.submit(MESSAGES[0])
    assert window.queued() == {MESSAGES[0]}


def test_what_is_not_ours_is_passed_over(redis):
    """Whatever else lies in the queue is not read as a message."""
    config, _ = redis
    window = broker.Window(config)
    for row in (b"", b"{}", b"[]", b"\xff", b"[" * 200_000):
        window._redis().rpush("ocr", row)
    assert window.queued() == set()


def test_the_embedded_broker_is_private_and_keeps_its_data(redis):
    """Its socket is for its user alone, no port is open, and a kill loses nothing."""
    config, server = redis
    socket = broker.socket_path(config)
    assert socket.stat().st_mode & 0o777 == 0o700
    assert broker.Window(config)._redis().config_get("port") == {"port": "0"}
    Dispatcher(config).submit(MESSAGES[0])
    server.kill()
    server.wait()
    with pytest.raises(EnvironmentFault, match="cannot be reached"):
        broker.Window(config).queued()
    with subprocess.Popen(broker.server_command(config), stdout=subprocess.PIPE) as again:
        window, end = broker.Window(config), time.monotonic() + 20
        while True:
            try:
                assert window.queued() == {MESSAGES[0]}
                break
            except EnvironmentFault:
                assert time.monotonic() < end
        again.kill()


def test_a_window_looks_again_after_a_fault(redis):
    """The connection that broke is replaced by the next look."""
    config, _ = redis
    window = broker.Window(config)
    window.queued()
    window._client.connection_pool.disconnect()
    assert window.queued() == set()


@pytest.mark.parametrize(
    "address", ["redis://127.0.0.1:1/0", "redis+socket:///nowhere/x.sock?virtual_host=2",
                "amqp://127.0.0.1:1//"],
)  # fmt: skip
def test_a_broker_that_is_away_is_a_fault(desk, address):
    """Whatever the address, a broker that does not answer is no error of ours."""
    away = replace(desk.config, broker=address)
    with pytest.raises(EnvironmentFault, match="cannot be reached"):
        broker.Window(away).queued()
    with pytest.raises(EnvironmentFault, match="cannot be reached"):
        broker.Window(away).waiting("notify")


@pytest.mark.parametrize(
    ("address", "url"),
    [("embedded", "redis+socket://{state}/redis/redis.sock?virtual_host=0"),
     ("rediss://host/1", "rediss://host/1")],
)  # fmt: skip
def test_the_address_as_celery_reads_it(desk, address, url):
    """The embedded broker is a unix socket below the state directory."""
    at = replace(desk.config, broker=address)
    assert broker.url(at) == url.format(state=at.state_dir)


def test_a_path_too_long_for_a_socket_is_told(desk):
    """The limit of unix sockets is said in words, with what to do."""
    long = replace(desk.config, state_dir=desk.root / ("x" * 100))
    with pytest.raises(EnvironmentFault, match="shorter"):
        broker.url(long)


def test_without_a_server_it_is_said_what_to_install(desk, monkeypatch):
    """Where no Redis is found the error names the package."""
    monkeypatch.setenv("PATH", os.devnull)
    monkeypatch.setattr(broker.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(EnvironmentFault, match="apt install redis-server"):
        broker.server_command(desk.config)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from([*JOBS, "ocr", "page"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


def envelope(task, body) -> bytes:
    """Return what kombu stores of a message."""
    coded = base64.b64encode(json.dumps(body).encode()).decode()
    return json.dumps({"headers": {"task": task}, "body": coded}).encode()


@given(task=values, body=values, args=values)
def test_no_message_raises(task, body, args):
    """What others put into the queue gives a sound message or none."""
    for row in (envelope(task, body), envelope(task, [args, {}, {}]), json.dumps(body).encode()):
        found = broker.parse(row)
        assert found is None or (
            found.job in JOBS and (found.task == "page") == (found.page is not None)
        )


@pytest.mark.parametrize(
    ("task", "args", "message"),
    [
        ("ocr", [JOBS[0]], Message("ocr", JOBS[0])),
        ("page", [JOBS[0], 3], Message("page", JOBS[0], 3)),
        ("page", [JOBS[0]], None),
        ("page", [JOBS[0], "3"], None),
        ("notify", [JOBS[0]], None),
        ("ocr", ["../x"], None),
        ("ocr", {"a": 1}, None),
        ("ocr", 7, None),
        ("ocr", [], None),
    ],
)
def test_a_row_is_read_exactly(task, args, message):
    """A task, a job's id, and for a page its number: anything else is none of ours."""
    assert broker.parse(envelope(task, [args, {}, {}])) == message
