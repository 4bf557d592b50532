"""Real scans through the real service: each comes out with the words that stand on it."""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from makers import shown_text
from needs import corpus, missing, needs
from papers import pages_of, text_of
from service import Service

from watcherd.lifecycle import State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from service import Home

    from watcherd.ledger import Job

PATIENCE = 240.0  # seconds for all of them, on two cores

_DASHES = re.compile("[\u2010-\u2015\u2212]")
_QUOTES = str.maketrans("\u2018\u2019\u201a\u201b\u201c\u201d\u201e`\u00b4", "''''\"\"\"''")


@dataclass(frozen=True)
class Scan:
    """One line of the manifest."""

    name: str
    pages: int
    languages: tuple[str, ...]
    verdict: str  # TEXT, PASS, OK-EMPTY, REJECT, EITHER, BOUNDED
    expected: str

    @property
    def phrases(self) -> list[str]:
        """What must be read, in the manifest's words."""
        return [phrase.strip(' "') for phrase in self.expected.split("||")]

    @property
    def source(self) -> str:
        """The name below the inbox: a folder for each kind of file, since stems come twice."""
        return f"{self.name.rpartition('.')[2]}/{self.name}"

    @property
    def inbox(self) -> str:
        """The name of the inbox for its languages."""
        return "-".join(self.languages)


def _scans() -> list[Scan]:
    folder = corpus()
    if folder is None:
        return []
    with (folder / "MANIFEST.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [
        Scan(
            row["path"],
            int(row["pages"]),
            tuple((row["language"] if row["language"] != "-" else "eng").split("+")),
            row["expectation"].replace(":", " ").split()[0],
            row["expectation"].partition(":")[2].strip(),
        )
        for row in rows
    ]


SCANS = _scans()


def _of(*verdicts: str, pages: int = 1) -> pytest.MarkDecorator:
    """Give the test the scans of these verdicts and at least so many pages, or one skip."""
    chosen = [
        pytest.param(s, id=s.name)
        for s in SCANS
        if s.verdict in verdicts and (s.pages >= pages or s.verdict != "TEXT")
    ]
    return pytest.mark.parametrize("scan", chosen or [pytest.param(None, id="no-corpus")])


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """Start a service with an inbox for each set of languages, and drop all the scans at once."""
    needs("corpus")
    folder = corpus()
    assert folder is not None
    here = [s for s in SCANS if not any(missing(f"language:{one}") for one in s.languages)]
    inboxes = {s.inbox: {"languages": list(s.languages)} for s in here}
    with Service(inboxes, log_level="info") as service:
        for one in here:
            service.homes[one.inbox].drop(one.source, (folder / one.name).read_bytes())
        yield service


def _ended(service: Service, scan: Scan) -> tuple[Home, Job]:
    needs(*(f"language:{one}" for one in scan.languages))
    home = service.homes[scan.inbox]
    return home, service.finished(scan.source, home, PATIENCE)


def _pdf(service: Service, scan: Scan) -> Path:
    home, job = _ended(service, scan)
    folder = corpus()
    assert folder is not None
    assert job.state is State.DONE, (job.code, job.reason)
    return service.done(scan.source, (folder / scan.name).read_bytes(), home)


def _plain(text: str) -> str:
    """Return text in lower case, with one kind of blank, of quote and of dash."""
    text = unicodedata.normalize("NFKC", text).translate(_QUOTES)
    return " ".join(_DASHES.sub("-", text).casefold().split())


@_of("TEXT", "PASS")
def test_the_words_are_found(service, scan):
    """The PDF has the scan's pages, and the words that the manifest names can be searched."""
    pdf = _pdf(service, scan)
    assert pages_of(pdf) == scan.pages
    read = _plain(text_of(pdf))
    missed = [phrase for phrase in _phrases(scan) if _plain(phrase) not in read]
    assert not missed, read


def _phrases(scan: Scan) -> list[str]:
    """Return what to look for; expectations of several pages have tests of their own."""
    if scan.pages > 1:
        return ["LinnSequencer"] if "LinnSequencer" in scan.expected else ["multi page document"]
    return [p.rpartition('contains "')[2].strip(' "') for p in scan.phrases]


@_of("TEXT", pages=2)
def test_every_page_has_its_own_words(service, scan):
    """In a document of several pages each page has its words, once, turned or digital alike."""
    pdf = _pdf(service, scan)
    for page in range(1, scan.pages + 1):
        read = _plain(shown_text(pdf, page))
        if "LinnSequencer" in scan.expected:
            assert "linnsequencer" in read
        else:
            assert read.count(f"this is a multi page document. page {page}.") == 1


@_of("REJECT")
def test_what_is_no_document_is_refused(service, scan):
    """A damaged, locked or empty file is refused with a code and a reason; nothing is published."""
    home, job = _ended(service, scan)
    assert job.state is State.FAILED
    says = json.loads((home.failed / f"{scan.source}.error.json").read_bytes())
    assert says["code"] in {"encrypted", "corrupt", "unsupported", "empty"}
    assert len(says["reason"].split()) > 4
    assert (home.failed / scan.source).exists()
    assert not [n for n in home.found("outbox") if n.startswith(scan.source.rpartition(".")[0])]
    if "password" in scan.expected:
        assert says["code"] == "encrypted"


@_of("OK-EMPTY")
def test_a_picture_without_words_is_done(service, scan):
    """A drawing without text becomes a PDF with next to no text; it is no failure."""
    assert len(text_of(_pdf(service, scan))) < 20


@_of("EITHER", "BOUNDED")
def test_an_odd_one_is_done_or_refused(service, scan):
    """What may go either way ends, within the limits, as a document with text or with a reason."""
    home, job = _ended(service, scan)
    if job.state is State.FAILED:
        assert job.code in {"encrypted", "too-large", "unsupported", "corrupt", "restricted"}
        assert (home.failed / f"{scan.source}.error.json").exists()
    elif scan.verdict == "EITHER":
        assert len(text_of(_pdf(service, scan))) > 100
    else:
        assert pages_of(_pdf(service, scan)) == 1
