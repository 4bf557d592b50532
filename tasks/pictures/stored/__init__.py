"""How a picture is kept in a PDF: as it is where PDF knows its kind, else converted once.

Each frame decides for itself. A module a kind says whether it can pass something on as it is;
`converted` takes what is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.pictures import pixels
from tasks.pictures.stored import converted, jp2, jpeg, png, profile, tiff

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image

    from tasks.pictures.stored.picture import Stored

_WAYS = (jpeg.as_is, png.as_is, jp2.as_is, tiff.as_is)


def as_is(image: Image.Image, path: Path) -> Stored | None:
    """Return the picture that an opened image shows, from headers alone, if PDF can hold it so.

    Raises Refusal `corrupt` when the file ends before the picture does.
    """
    found = (way(image, path) for way in _WAYS)
    return next((stored for stored in found if stored), None)


def store(image: Image.Image, path: Path) -> Stored:
    """Return the picture that an opened image shows, as it is or converted; raises Refusal."""
    return as_is(image, path) or converted.store(image, path)


def notes(image: Image.Image, path: Path, kept: Stored | None) -> tuple[str, ...]:
    """Say of a decoded image what storing it changes; `kept` is what `as_is` said of it."""
    if kept is None:
        return converted.notes(image, path)
    said = ["transparency was laid on white"] if pixels.is_translucent(image) else []
    if profile.misfits(image, kept.colours):
        said.append(profile.MISFIT)
    return tuple(said)
