"""One page: what is written about it."""

from __future__ import annotations

import json

import makers
import pytest
from readers import recognised

from tasks import hocr, recognise
from watcherd.errors import Overrun, Refusal
from watcherd.model import Limits, Options

SHEET = makers.sheet()


@pytest.fixture
def into(tmp_path):
    folder = tmp_path / "page"
    folder.mkdir()
    return folder


def test_three_files_are_written(tmp_path, into):
    """A page leaves its facts, its hOCR and its text, which agree."""
    path = makers.saved(SHEET.image, tmp_path / "a.png")
    facts = recognised(path, 1, Options(), into)
    assert {file.name for file in into.iterdir()} == {"page.json", "page.hocr", "page.txt"}
    assert recognise.read_facts(into) == facts
    text = (into / "page.txt").read_text("utf-8")
    assert makers.folded(text) == SHEET.text
    assert hocr.text(hocr.parse((into / "page.hocr").read_text("utf-8"))) == text
    assert facts.words == len(SHEET.words)
    assert facts.pixels == SHEET.image.size
    assert facts.dpi == pytest.approx((200, 200), abs=0.1)
    assert facts.points == pytest.approx((360, 165.6), abs=0.1)
    assert facts.confidence > 85
    assert facts.engine in {"tesserocr", "pytesseract"}
    assert facts.version[0].isdigit()
    assert not facts.text_already_there


def test_facts_are_plain_json(tmp_path, into):
    """The facts carry the schema's number, and another one is not read."""
    recognised(makers.saved(SHEET.image, tmp_path / "a.png"), 1, Options(), into)
    raw = json.loads((into / "page.json").read_text("utf-8"))
    assert raw["schema"] == 1
    assert raw["languages"] == ["eng"]
    assert "sha256:" in raw["data"][0]
    (into / "page.json").write_text(json.dumps({**raw, "schema": 99}), "utf-8")
    with pytest.raises(ValueError, match="99"):
        recognise.read_facts(into)


def test_page_of_many(tmp_path, into):
    """Page n of a document is the one that is read."""
    sheets = [makers.sheet((f"Chapter number {n}",)) for n in ("one", "two", "three")]
    path = makers.scan_pdf(sheets, tmp_path / "a.pdf")
    facts = recognised(path, 2, Options(), into)
    assert facts.page == 2
    assert (into / "page.txt").read_text("utf-8") == "Chapter number two\n"


def test_own_text_is_kept(tmp_path, into):
    """A PDF page with text is not recognised: its text is taken as it is."""
    path = makers.text_pdf(["Zq9 kWx vv", "Lll1I"], tmp_path / "a.pdf")
    facts = recognised(path, 1, Options(), into)
    assert facts.text_already_there
    assert facts.engine == ""
    assert facts.words == 4
    assert (into / "page.txt").read_text("utf-8") == "Zq9 kWx vv\nLll1I\n"
    lines = hocr.parse((into / "page.hocr").read_text("utf-8"))
    assert [hocr.line_text(line) for line in lines] == ["Zq9 kWx vv", "Lll1I"]


def test_own_text_needs_no_language(tmp_path, into):
    """Where nothing is to be recognised a missing language does no harm."""
    path = makers.text_pdf(["Already here"], tmp_path / "a.pdf")
    options = Options(languages=("tlh",))
    assert recognised(path, 1, options, into).text_already_there


@pytest.mark.parametrize("engine", ["tesserocr", "pytesseract"])
def test_engine_is_a_choice(tmp_path, into, engine):
    """The engine that was asked for is the one that is used and named."""
    pytest.importorskip(engine)
    path = makers.saved(SHEET.image, tmp_path / "a.png")
    facts = recognised(path, 1, Options(engine=engine), into)
    assert facts.engine == engine
    assert makers.folded((into / "page.txt").read_text("utf-8")) == SHEET.text


def test_refused_page_writes_nothing(tmp_path, into):
    """Of a page that cannot be done no file is left that could be taken for its result."""
    path = makers.saved(SHEET.image, tmp_path / "a.jpg")
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(Refusal):
        recognised(path, 1, Options(), into)
    assert list(into.iterdir()) == []


def test_page_has_a_time_limit(tmp_path, into):
    """A page that outruns its seconds is an overrun, with nothing written."""
    path = makers.saved(SHEET.image, tmp_path / "a.png")
    with pytest.raises(Overrun):
        recognised(path, 1, Options(limits=Limits(page_seconds=0)), into)
    assert list(into.iterdir()) == []


def test_full_disk_is_not_the_documents_fault(tmp_path):
    """Where the result cannot be written the system's error goes through."""
    path = makers.saved(SHEET.image, tmp_path / "a.png")
    with pytest.raises(FileNotFoundError):
        recognised(path, 1, Options(), tmp_path / "gone")
