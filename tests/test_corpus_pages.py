"""Real scans, photos and PDFs, each with what is expected of it."""

from __future__ import annotations

import csv
import os
import re
import unicodedata
from pathlib import Path

import makers
import pytest
import readers

from tasks import outputs
from tasks.reading import engine
from watcherd.errors import Refusal
from watcherd.model import Limits, Options

CORPUS = Path(
    os.environ.get("WATCHERD_CORPUS")
    or Path(__file__).resolve().parent.parent.parent / "shared" / "corpus"
)
UNIFIED = str.maketrans(
    "\u2018\u2019\u201a\u201c\u201d\u201e\u2013\u2014\u2212\u2010", "'''\"\"\"----"
)


def rows() -> list[dict[str, str]]:
    manifest = CORPUS / "MANIFEST.tsv"
    if not manifest.is_file():
        return []
    with manifest.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def plain(text: str) -> str:
    return makers.folded(unicodedata.normalize("NFC", text).translate(UNIFIED)).casefold()


def wanted(expectation: str, pages: int) -> list[list[str]]:
    """Return the substrings that each page must have; a single list stands for the whole."""
    quoted = re.findall(r'"([^"]+)"', expectation)
    if expectation.startswith("TEXT page n"):
        return [[quoted[0].replace("Page n", f"Page {n}")] for n in range(1, pages + 1)]
    if expectation.startswith("TEXT on each"):
        return [quoted] * pages
    if expectation.startswith("TEXT: "):
        return [[part.strip() for part in expectation[6:].split("||")]]
    return [quoted] if expectation.startswith(("PASS", "EITHER: pass")) else [[]]


@pytest.mark.skipif(not rows(), reason=f"no corpus in {CORPUS}")
@pytest.mark.parametrize("row", rows(), ids=lambda row: row["path"])
def test_expectation_is_met(tmp_path, row):
    """A document of the corpus ends as its manifest says, in the text and in the PDF."""
    path, expectation = CORPUS / row["path"], row["expectation"]
    languages = tuple(row["language"].split("+")) if row["language"] != "-" else ("eng",)
    if missing := set(languages) - set(engine.installed_languages()):
        pytest.skip(f"no Tesseract data for {', '.join(sorted(missing))}")
    options = Options(languages, formats=("pdf", "txt"), limits=Limits(page_pixels=100_000_000))
    if expectation.startswith(("REJECT", "BOUNDED")):
        with pytest.raises(Refusal):
            readers.recognised(path, 1, options, tmp_path)
        return
    document = readers.found(path, options.limits)
    assert document.pages == int(row["pages"] if row["pages"] != "0" else 1)
    folders = [tmp_path / str(number) for number in range(1, document.pages + 1)]
    for number, folder in enumerate(folders, start=1):
        folder.mkdir()
        readers.recognised(path, number, options, folder)
    meta = outputs.Meta(path.stem, path.name, "job", row["sha256"], 0)
    out = outputs.build(path, document, folders, options, meta, tmp_path).files
    shown = [plain(makers.shown_text(out["pdf"], n)) for n in range(1, document.pages + 1)]
    read = [plain(page) for page in out["txt"].read_text("utf-8").split("\f")]
    assert len(read) == document.pages
    expected = wanted(expectation, document.pages)
    for texts in (read, shown):
        found = texts if len(expected) > 1 else [" ".join(texts)]
        for page, phrases in zip(found, expected, strict=True):
            for phrase in phrases:
                assert plain(phrase) in page
    if expectation.startswith("OK-EMPTY"):
        assert len("".join(read)) < 20
