"""One page: its pixels in; what was read out of them, and where, as files."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tasks import hocr, inputs
from tasks.pdfs import pagewords
from tasks.pdfs.existing import OwnText
from tasks.reading import engine, looks, tessdata
from watcherd.model import SCHEMA

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.document import Document
    from tasks.imaging import Box, Matrix, PageImage, Pair
    from watcherd.model import Options


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What `page.json` says of a page."""

    page: int  # from 1
    pixels: tuple[int, int]  # of the page's image as displayed, or of its rendering
    points: Pair  # size of the displayed page, 1/72 inch (user units in a PDF)
    dpi: Pair  # of `pixels` on the page
    orientation: int  # EXIF's, 1 to 8, that display needs
    rotation: int  # degrees clockwise that would bring the text upright
    matrix: Matrix  # from the pixels of `page.hocr` (y down) to the page's user space
    text_already_there: bool  # a PDF page that keeps its own text
    words: int
    confidence: float  # mean of the words, weighed by letters, 0 to 100
    engine: str  # "" when the page was not recognised, like `version`
    version: str
    languages: tuple[str, ...]
    seconds: float  # wall clock, decoding included
    notes: tuple[str, ...] = ()
    data: tuple[str, ...] = ()  # versions of the languages' data, in their order
    strip: bool = False  # hidden text of the page says nothing and does not go into the outputs
    kept: tuple[Box, ...] = ()  # words of the page itself, in user space; the layer leaves them out
    schema: int = SCHEMA


def recognise_page(
    path: Path, document: Document, page: int, options: Options, into: Path
) -> PageFacts:
    """Recognise page `page` (from 1); write `page.hocr`, `page.txt` and last `page.json`.

    A PDF page with text of its own is not recognised: that text is taken. `into` is a folder
    that exists. Raises Refusal and OSError as the input's `read` does, Overrun when the page
    outruns `limits.page_seconds`.
    """
    start = time.monotonic()
    found = inputs.of(document).read(path, document, page, options.limits)
    if isinstance(found, OwnText):
        return _keep(found, page, into, start)
    return _recognise(found, page, options, into, start)


def read_facts(folder: Path) -> PageFacts:
    """Return what `page.json` in this folder says; raises ValueError for another schema."""
    raw: dict[str, Any] = json.loads((folder / "page.json").read_text(encoding="utf-8"))
    if raw.get("schema") != SCHEMA:
        raise ValueError(f"{folder}: page.json has schema {raw.get('schema')!r}, not {SCHEMA}")
    return PageFacts(**{key: _frozen(value) for key, value in raw.items()})


def _recognise(
    pixels: PageImage, page: int, options: Options, into: Path, start: float
) -> PageFacts:
    look, notes = looks.read(pixels, options, start + options.limits.page_seconds)
    languages = look.languages or options.languages
    folder = engine.data_folder(languages)
    real = engine.resolve(options.engine, options.languages)
    facts = PageFacts(
        page=page,
        pixels=pixels.pixels,
        points=pixels.points,
        dpi=pixels.dpi,
        orientation=pixels.orientation,
        rotation=look.rotation(),
        matrix=looks.matrix_of(look, pixels),
        text_already_there=False,
        words=len(look.words),
        confidence=round(look.mean(), 1),
        engine=real,
        version=engine.engine_version(real),
        languages=languages,
        seconds=round(time.monotonic() - start, 3),
        notes=(*pixels.notes, *notes),
        data=tuple(tessdata.version(folder / f"{one}.traineddata") for one in languages),
        strip=pixels.strip,
        kept=pixels.kept,
    )
    return _write(into, facts, look.page, hocr.text(look.lines))


def _keep(own: OwnText, page: int, into: Path, start: float) -> PageFacts:
    facts = PageFacts(
        page=page,
        pixels=own.pixels,
        points=own.points,
        dpi=(pagewords.DPI, pagewords.DPI),
        orientation=1,
        rotation=0,
        matrix=own.matrix,
        text_already_there=True,
        words=len(own.text.split()),
        confidence=100.0,
        engine="",
        version="",
        languages=(),
        seconds=round(time.monotonic() - start, 3),
        notes=(*own.notes, "the page's own text was kept"),
    )
    return _write(into, facts, own.page, own.text)


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _write(into: Path, facts: PageFacts, page: str, text: str) -> PageFacts:
    (into / "page.hocr").write_text(page, encoding="utf-8")
    (into / "page.txt").write_text(text, encoding="utf-8")
    line = json.dumps(asdict(facts), ensure_ascii=False)
    (into / "page.json").write_text(line + "\n", encoding="utf-8")
    return facts
