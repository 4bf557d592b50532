"""What a person is told of a document."""

from __future__ import annotations

import json

import pytest

from tasks.document import Document
from tasks.outputs.remarks import MOST, Remarks, remarks
from tasks.recognise import PageFacts


def facts(page=1, confidence=90.0, words=12, own=False, notes=()):
    return PageFacts(
        page=page,
        pixels=(100, 100),
        points=(72.0, 72.0),
        dpi=(100.0, 100.0),
        orientation=1,
        rotation=0,
        matrix=(1.0, 0.0, 0.0, 1.0, 0.0, 0.0),
        text_already_there=own,
        words=words,
        confidence=confidence,
        engine="tesserocr",
        version="5",
        languages=("eng",),
        seconds=1.0,
        notes=notes,
    )


def said(pages, document=None, written=(), threshold=60.0):
    return remarks(document or Document("pdf", "PDF", len(pages)), pages, written, threshold)


def test_a_page_of_low_confidence_wants_a_look():
    """One page below the threshold marks the document, and is named."""
    found = said([facts(1), facts(2, confidence=41.3), facts(3)])
    assert found.review
    assert found.confidence == 41.3
    assert found.notes == ("page 2 was read with a confidence of 41 only",)


@pytest.mark.parametrize("page", [facts(confidence=60.0), facts(confidence=0, words=0)])
def test_a_sure_or_an_empty_page_wants_none(page):
    """At the threshold, or without a word, nothing is marked."""
    assert not said([page]).review


def test_text_that_was_there_has_no_confidence():
    """A PDF with text of its own says nothing of how surely it was read."""
    assert said([facts(own=True, confidence=100.0)]) == Remarks()


def test_zero_marks_nothing():
    """A threshold of 0 is how the marking is turned off."""
    assert not said([facts(confidence=3.0)], threshold=0).review


def test_equal_notes_are_told_once():
    """A note that many pages share names them in short."""
    pages = [facts(n, notes=("blank page",) if n != 4 else ("dark",)) for n in (1, 2, 3, 4, 6)]
    assert said(pages).notes == ("pages 1-3, 6: blank page", "page 4: dark")


def test_a_single_page_is_not_counted():
    """Of a document of one page nobody needs to hear which."""
    assert said([facts(notes=("dark",))]).notes == ("dark",)


def test_the_document_comes_first_and_the_outputs_last():
    """Notes are in the order in which things happened."""
    document = Document("pdf", "PDF", 1, notes=("it was repaired",))
    assert said([facts(notes=("dark",))], document, ["no PDF/A"]).notes == (
        "it was repaired",
        "dark",
        "no PDF/A",
    )


def test_a_book_of_troubles_is_cut():
    """However many pages have something of their own to tell, the record stays readable."""
    found = said([facts(n, notes=(f"note {n}",)) for n in range(1, 1000)])
    assert len(found.notes) == MOST
    assert found.notes[-1].startswith(f"and {999 - MOST + 1} more")


def test_they_survive_the_disk():
    """What is written beside the outputs comes back, and nonsense comes back as nothing."""
    there = Remarks(("a", "b"), 41.5, review=True)
    assert Remarks.from_json(json.loads(json.dumps(there.to_json()))) == there
    assert Remarks.from_json({"notes": 3}) == Remarks.from_json(None) == Remarks()
