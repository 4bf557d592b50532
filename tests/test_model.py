"""The nouns are values: they do not change, and messages carry no state."""

from __future__ import annotations

import dataclasses

import pytest

from watcherd.model import Fingerprint, JobFacts, Limits, Message, Options, Try

JOB = "aaaa-00000000000000"


@pytest.mark.parametrize(
    ("message", "key"),
    [
        (Message("ocr", JOB), "ocr"),
        (Message("page", JOB, 12), "page-12"),
        (Message("pdf", JOB), "pdf"),
    ],
)
def test_a_message_names_its_attempts(message, key):
    """Attempts are counted by stage, and by page where pages are separate messages."""
    assert message.key == key


@pytest.mark.parametrize(
    "value",
    [
        Fingerprint(1, 2, 3),
        Limits(),
        Options(),
        Try("ocr", 1, ended=False),
        JobFacts(),
        Message("ocr", JOB),
    ],
)
def test_nouns_are_frozen_and_hashable(value):
    """A value can be shared by threads and be a key; nobody can change it under another."""
    hash(value)
    name = dataclasses.fields(value)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, None)


def test_a_message_is_an_id_and_a_page():
    """Nothing else travels over the broker."""
    assert [f.name for f in dataclasses.fields(Message)] == ["task", "job", "page"]
