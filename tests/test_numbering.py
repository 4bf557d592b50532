"""A free number is found with few looks, whatever numbers are taken."""

from __future__ import annotations

import os
from math import log2
from typing import TYPE_CHECKING

import pytest
from desks import SCAN
from hypothesis import given
from hypothesis import strategies as st

from watcherd import filing
from watcherd.numbering import first_free
from watcherd.publish import Outbox, publish

if TYPE_CHECKING:
    from pathlib import Path


class Names:
    """Numbers that are taken, and how often one was asked for."""

    def __init__(self, *taken: int) -> None:
        self._taken = set(taken)
        self.asked = 0

    def __call__(self, number: int) -> bool:
        """Tell whether it is taken."""
        self.asked += 1
        return number in self._taken


@given(last=st.integers(0, 3000), start=st.integers(1, 5))
def test_without_gaps_it_is_the_next(last, start):
    """As long as nobody takes one away, documents are numbered one after the other."""
    assert first_free(Names(*range(1, last + 1)), start) == max(start, last + 1)


@given(taken=st.sets(st.integers(1, 300)), start=st.integers(1, 5))
def test_what_is_given_is_free(taken, start):
    """With any gaps the number is free, not before the first asked for, and follows on a name."""
    number = first_free(Names(*taken), start)
    assert number not in taken
    assert number == start or (number > start and number - 1 in taken)


@given(last=st.integers(2, 5000))
def test_few_looks_are_enough(last):
    """The looks grow with the logarithm of what is there, not with its number."""
    names = Names(*range(1, last + 1))
    first_free(names)
    assert names.asked <= 2 * log2(last) + 3


@pytest.fixture
def looks(monkeypatch) -> list[str]:
    """Give a list that grows with each look for a file."""
    seen: list[str] = []
    lexists = os.path.lexists

    def look(path: os.PathLike[str] | str) -> bool:
        seen.append(os.fspath(path))
        return lexists(path)

    monkeypatch.setattr(os.path, "lexists", look)
    return seen


TAKEN = 500


def take(folder: Path, ext: str) -> None:
    """Take the names of the first documents of a scanner that has one name for all."""
    for number in range(1, TAKEN + 1):
        (folder / (f"a-{number}.{ext}" if number > 1 else f"a.{ext}")).touch()


def test_the_next_document_of_many_is_published_with_few_looks(desks, looks):
    """The set gets the next number, and neither name of it is asked for hundreds of times."""
    desk = desks()
    take(desk.inbox.outbox, "pdf")
    take(desk.inbox.outbox, "txt")
    publication = publish(desk.built(), Outbox(desk.inbox.outbox, 0o640), b"a")
    assert {o.target for o in publication.outputs} == {b"a-501.pdf", b"a-501.txt"}
    assert len(looks) < TAKEN / 5


@pytest.mark.parametrize("kind", ["done", "failed"])
def test_the_next_original_of_many_is_filed_with_few_looks(desks, looks, kind):
    """An original, and with it its reason, gets the next number."""
    desk = desks()
    folder = desk.inbox.archive if kind == "done" else desk.inbox.failed
    take(folder, "pdf")
    filed = filing.file_away(desk.spool, desk.ended(kind), desk.inbox)
    assert filed.path == folder / "a-501.pdf"
    assert filed.path.read_bytes() == SCAN
    assert len(looks) < TAKEN / 5
