"""JSON: where a document comes from, how it was read, and every word of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tasks import hocr
from tasks.outputs.describe import clean, moment
from watcherd.model import SCHEMA

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.outputs import Work


def write(work: Work, target: Path) -> tuple[str, ...]:
    """Write facts, text, and lines with their places, for programs."""
    whole = {
        "schema": SCHEMA,
        **{key: clean(str(value)) for key, value in asdict(work.meta).items() if key != "when"},
        "when": moment(work.meta).isoformat(),
        "format": work.document.format,
        "notes": [*work.document.notes, *work.notes],
        "pages": [_page(work, number) for number in range(len(work.folders))],
    }
    target.write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return ()


def _page(work: Work, number: int) -> dict[str, Any]:
    folder = work.folders[number]
    lines = hocr.parse((folder / "page.hocr").read_text(encoding="utf-8"))
    return {
        **asdict(work.facts[number]),
        "text": (folder / "page.txt").read_text(encoding="utf-8"),
        "lines": [
            {
                "text": hocr.line_text(line),
                "bbox": line.box,
                "words": [
                    {"text": w.text, "bbox": w.box, "confidence": w.confidence} for w in line.words
                ],
            }
            for line in lines
        ],
    }
