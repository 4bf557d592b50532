"""The log: one line per fact, for people on a terminal, else JSON, whoever speaks."""

from __future__ import annotations

import json
import logging
import warnings

import pytest
import structlog

from watcherd import log


@pytest.fixture(autouse=True)
def as_before():
    """Leave logging as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with warnings.catch_warnings():
        yield
    logging.captureWarnings(capture=False)
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level


def lines(capsys) -> list[dict]:
    """Return what was written, each line read as JSON."""
    out, err = capsys.readouterr()
    assert out == ""
    return [json.loads(line) for line in err.splitlines()]


def test_a_fact_is_one_line_with_its_keys(capsys):
    """Event, level, time, bound keys and names, whatever bytes they hold."""
    log.setup("json", "info", part="daemon")
    log.get(job="j").info("file_claimed", source=b"two\nlines \xff.pdf")
    (line,) = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "file_claimed",
        "level": "info",
        "part": "daemon",
        "job": "j",
        "source": "two\\nlines \\xff.pdf",
    }


def test_libraries_speak_the_same_way(capsys):
    """Their lines are ours in form; what they say too much of is left out."""
    log.setup("json", "info")
    logging.getLogger("celery.worker").warning("%s is late", "a task", extra={"job": "j"})
    logging.getLogger("celery.worker").info("chatter")
    logging.getLogger("kombu").info("chatter")
    (line,) = lines(capsys)
    assert (line["event"], line["level"], line["job"]) == ("a task is late", "warning", "j")


def test_below_the_level_nothing_is_written(capsys):
    """Debug lines appear when they are asked for only."""
    for level, count in (("info", 0), ("debug", 1)):
        log.setup("json", level)
        log.get().debug("looked")
        assert len(lines(capsys)) == count


def test_an_exception_is_in_its_line(capsys):
    """A traceback does not break the one line a fact has."""
    log.setup("json")
    try:
        int("a defect")
    except ValueError:
        log.get().exception("stage_crashed")
    (line,) = lines(capsys)
    assert "ValueError: invalid literal" in line["exception"]


@pytest.mark.parametrize(("style", "as_json"), [("auto", True), ("json", True), ("console", False)])
def test_the_style_follows_the_reader(capsys, style, as_json):
    """Off a terminal it is JSON unless people are to read it."""
    log.setup(style)
    log.get().info("daemon_started", inboxes=2)
    text = capsys.readouterr().err
    assert "daemon_started" in text
    assert text.startswith("{") == as_json


def test_setting_up_again_does_not_double(capsys):
    """A worker that sets up logging twice says everything once."""
    log.setup("json")
    log.setup("json")
    logging.getLogger("x").error("once")
    assert len(lines(capsys)) == 1
