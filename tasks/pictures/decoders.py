"""Decoders that PDF has no counterpart of: what Pillow's images do not say of them, a line each.

An input that brings a decoder of its own adds its line here, as `tasks.inputs.heif` does.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decoder:
    """What is known of a decoder: it gives colour whatever the picture, and keeps the file."""

    label: str  # what people call its files
    per_pixel: float  # bytes of memory at its peak, the picture included, as measured
    lossy: bool = True  # its pictures are photos that had lost something already


DECODERS: dict[str, Decoder] = {
    "WEBP": Decoder("WebP", 16.0),
    "AVIF": Decoder("AVIF", 11.0),
}
"""By Pillow's name of the format. WebP has a lossless coding too, which its header tells."""
