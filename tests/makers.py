"""Pages with known words at known places, as images and as PDFs."""

from __future__ import annotations

import io
import subprocess
from dataclasses import dataclass
from shutil import which
from typing import TYPE_CHECKING

import pikepdf
import pypdfium2
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from pathlib import Path

Box = tuple[float, float, float, float]  # left, top, right, bottom; y down

LINES = ("Invoice number 20417", "Total amount due Friday", "Please quote your reference")
DPI = 200

_TURN = {
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Sheet:
    """An image and the ink boxes of the words drawn on it, in its pixels."""

    image: Image.Image
    words: tuple[tuple[str, Box], ...]

    @property
    def text(self) -> str:
        """All words in a row."""
        return " ".join(word for word, _ in self.words)

    def turned(self, degrees: int) -> Sheet:
        """Return the sheet as it looks when it was scanned turned clockwise."""
        if degrees == 0:
            return self
        width, height = self.image.size
        turn = {
            90: lambda b: (height - b[3], b[0], height - b[1], b[2]),
            180: lambda b: (width - b[2], height - b[3], width - b[0], height - b[1]),
            270: lambda b: (b[1], width - b[2], b[3], width - b[0]),
        }[degrees]
        words = tuple((word, turn(box)) for word, box in self.words)
        return Sheet(self.image.transpose(_TURN[degrees]), words)


def sheet(
    lines: tuple[str, ...] = LINES,
    *,
    size: tuple[int, int] = (1000, 460),
    font_size: int = 44,
    left: int = 80,
    top: int = 70,
    leading: int = 110,
) -> Sheet:
    """Draw lines of black words on white grey paper."""
    font = ImageFont.load_default(size=font_size)
    image = Image.new("L", size, 255)
    draw = ImageDraw.Draw(image)
    words: list[tuple[str, Box]] = []
    for row, line in enumerate(lines):
        x = float(left)
        for word in line.split():
            place = (x, top + row * leading)
            draw.text(place, word, font=font, fill=0)
            words.append((word, draw.textbbox(place, word, font=font)))
            x += draw.textlength(word + " ", font=font)
    return Sheet(image, tuple(words))


def saved(image: Image.Image, path: Path, **options: object) -> Path:
    """Save an image in the format of the name; by default it says its resolution."""
    image.save(path, **{"dpi": (DPI, DPI), **options})
    return path


def scan_pdf(sheets: list[Sheet], path: Path, dpi: int = DPI, **page: object) -> Path:
    """Save a PDF with one full-page image a page; `page` adds entries like Rotate to each."""
    with pikepdf.new() as pdf:
        for each in sheets:
            width, height = (72 * side / dpi for side in each.image.size)
            box = [float(v) for v in page.get("MediaBox", (0, 0, width, height))]
            pdf.add_blank_page(page_size=(width, height))
            target = pdf.pages[-1].obj
            target.MediaBox = pikepdf.Array(box)
            image = pdf.make_stream(
                each.image.convert("L").tobytes(),
                Type=pikepdf.Name.XObject,
                Subtype=pikepdf.Name.Image,
                Width=each.image.width,
                Height=each.image.height,
                ColorSpace=pikepdf.Name.DeviceGray,
                BitsPerComponent=8,
            )
            target.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Scan=image))
            draw = f"{width:.4f} 0 0 {height:.4f} {box[0]} {box[1]} cm /Scan Do"
            target.Contents = pdf.make_stream(draw.encode())
            for key, value in page.items():
                target[f"/{key}"] = value if isinstance(value, int) else pikepdf.Array(value)
        pdf.save(path)
    return path


def text_pdf(lines: list[str], path: Path, *, mode: int = 0) -> Path:
    """Save a born-digital PDF of one page; text render mode 3 makes its text invisible."""
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(400, 300))
        page = pdf.pages[0].obj
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
        )
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F=font))
        drawn = " ".join(f"({line}) Tj 0 -30 Td" for line in lines)
        page.Contents = pdf.make_stream(f"BT /F 18 Tf {mode} Tr 40 240 Td {drawn} ET".encode())
        pdf.save(path)
    return path


def rendered(path: Path, page: int = 1, dpi: float = DPI) -> Image.Image:
    """Return the page of a PDF as a viewer shows it, in grey."""
    with pypdfium2.PdfDocument(path) as pdf:
        return pdf[page - 1].render(scale=dpi / 72 * (1 - 1e-6), grayscale=True).to_pil().copy()


def shown_words(path: Path, page: int = 1, dpi: float = DPI) -> list[tuple[str, Box]]:
    """Return the words that a viewer selects, with their boxes in pixels of `rendered`."""
    with pypdfium2.PdfDocument(path) as pdf:
        sheet_ = pdf[page - 1]
        place = sheet_.render(scale=dpi / 72 * (1 - 1e-6)).get_posconv(sheet_)
        text = sheet_.get_textpage()
        words: list[tuple[str, list[Box]]] = []
        open_word = False
        for index in range(text.count_chars()):
            letter = text.get_text_range(index, 1)
            if not letter.strip():
                open_word = False
                continue
            left, bottom, right, top = text.get_charbox(index, loose=True)
            x0, y0 = place.to_bitmap(left, top)
            x1, y1 = place.to_bitmap(right, bottom)
            box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
            if not open_word:
                words.append(("", []))
            word, boxes = words[-1]
            words[-1] = (word + letter, [*boxes, box])
            open_word = True
        text.close()
    return [(word, around(boxes)) for word, boxes in words]


def shown_text(path: Path, page: int = 1) -> str:
    """Return a page's text as a viewer copies it, white space folded."""
    with pypdfium2.PdfDocument(path) as pdf:
        return folded(pdf[page - 1].get_textpage().get_text_range())


def folded(text: str) -> str:
    """Return text with all white space as single blanks."""
    return " ".join(text.split())


def around(boxes: list[Box]) -> Box:
    """Return the box around boxes."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def overlap(one: Box, other: Box) -> float:
    """Return the shared area of two boxes over that of both together, 0 to 1."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    areas = sum((b[2] - b[0]) * (b[3] - b[1]) for b in (one, other))
    return shared / (areas - shared)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return an image's file as bytes."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def checked(path: Path) -> Path:
    """Hold a PDF against qpdf's checks, where qpdf is."""
    if which("qpdf"):
        done = subprocess.run(["qpdf", "--check", path], capture_output=True, check=False)
        assert done.returncode == 0, done.stdout
    return path
