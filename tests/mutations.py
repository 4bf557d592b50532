"""Small files of every kind that can be read, and ways to spoil them."""

from __future__ import annotations

import io
import random
from functools import cache
from typing import TYPE_CHECKING

import pikepdf
from makers import encoded, sheet
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

_KINDS = ("JPEG", "PNG", "TIFF", "GIF", "BMP", "WEBP", "JPEG2000", "PPM", "AVIF")
_TELLING = (0, 1, 0x7F, 0x80, 0xFF)
_WIDE = (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x00\x00\x00\x00", b"\x80\x00\x00\x00")


@cache
def seeds() -> dict[str, bytes]:
    """Return a small sound file of each kind."""
    grey = sheet(("Fuzz 20417",), size=(260, 90), left=10, top=10, font_size=36).image
    colour = Image.merge("RGB", (grey, grey.point(lambda v: 255 - v), grey))
    files = {f"{kind}-{mode}": _encoded(colour.convert(mode), kind) for kind, mode in _pairs()}
    bits = grey.convert("1")
    files["TIFF-G4"] = encoded(bits, "TIFF", compression="group4")
    files["TIFF-LZW"] = encoded(colour, "TIFF", compression="tiff_lzw")
    files["TIFF-JPEG"] = encoded(colour, "TIFF", compression="jpeg")
    files["TIFF-3"] = encoded(bits, "TIFF", save_all=True, append_images=[grey, colour])
    files["PDF-scan"] = encoded(grey, "PDF", resolution=200)
    files["PDF-text"] = _text_pdf()
    return {name: data for name, data in files.items() if data}


def _pairs() -> list[tuple[str, str]]:
    modes = {"JPEG": ("L", "RGB", "CMYK"), "PNG": ("1", "P", "RGBA", "I;16"), "GIF": ("P",)}
    return [(kind, mode) for kind in _KINDS for mode in modes.get(kind, ("RGB",))]


def _encoded(image: Image.Image, kind: str) -> bytes:
    return encoded(image, kind)


def _text_pdf() -> bytes:
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(200, 80))
        page = pdf.pages[0].obj
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
        )
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F=font))
        page.Contents = pdf.make_stream(b"BT /F 18 Tf 10 30 Td (Fuzz 20417) Tj ET")
        out = io.BytesIO()
        pdf.save(out)
        return out.getvalue()


def _flip(data: bytearray, rng: random.Random) -> None:
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _put(data: bytearray, rng: random.Random) -> None:
    data[rng.randrange(len(data))] = rng.choice(_TELLING)


def _put_wide(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    data[at : at + 4] = rng.choice(_WIDE)


def _cut(data: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(data))
    del data[start : start + rng.randrange(1, 64)]


def _double(data: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(data))
    data[start:start] = data[start : start + rng.randrange(1, 256)]


def _shorten(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(1, len(data)) :]


def _head(data: bytearray, rng: random.Random) -> None:
    """Change a byte where headers are."""
    data[rng.randrange(min(64, len(data)))] = rng.randrange(256)


_WAYS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    *(_flip, _flip, _put, _put, _put_wide, _put_wide, _head, _head, _cut, _double, _shorten),
)


def spoilt(name: str, seed: int, times: int) -> bytes:
    """Return the file of that name, spoilt in some places; equal arguments give equal bytes."""
    rng = random.Random(f"{name} {seed} {times}")  # noqa: S311  -- repeatable, not secret
    data = bytearray(seeds()[name])
    for _ in range(times):
        if len(data) > 1:
            rng.choice(_WAYS)(data, rng)
    return bytes(data)
