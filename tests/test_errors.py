"""What a person is told when something is wrong."""

from __future__ import annotations

import pytest

from watcherd import errors


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.WatcherdError, 1),
        (errors.NotOurs, 2),
        (errors.ConfigError, 3),
        (errors.EnvironmentFault, 4),
        (errors.Refusal, 1),
        (errors.Overrun, 1),
        (errors.IllegalEvent, 1),
    ],
)
def test_every_error_has_its_exit_code(kind, code):
    """The exit codes are those of the interface: work 1, usage 2, configuration 3, machine 4."""
    assert issubclass(kind, errors.WatcherdError)
    assert kind.exit_code == code


def test_a_configuration_error_names_every_mistake():
    """All problems are told at once, one a line."""
    assert str(errors.ConfigError(["a: wrong", "b: missing"])) == "a: wrong\nb: missing"


def test_a_refusal_says_why_and_where():
    """Code, sentence and page are kept apart, and shown together."""
    refusal = errors.Refusal("encrypted", "It needs a password.", page=3)
    assert (refusal.code, refusal.reason, refusal.page) == ("encrypted", "It needs a password.", 3)
    assert str(refusal) == "encrypted: It needs a password."


def test_an_illegal_event_says_what_was_expected():
    """The error lists what could have happened instead."""
    assert "it can meet: a, b" in str(errors.IllegalEvent("ready", "x", ("a", "b")))
    assert str(errors.IllegalEvent("done", "x", ())).endswith("nothing")
