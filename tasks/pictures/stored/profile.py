"""Colour profiles: which of them say something of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.pictures.stored.picture import CHANNELS, CMYK, GREY, RGB

if TYPE_CHECKING:
    from PIL import Image

_SPACES = {b"GRAY": GREY, b"RGB ": RGB, b"CMYK": CMYK}
_CLASSES = (b"scnr", b"mntr", b"prtr", b"spac")  # PDF allows no others (ISO 32000-1, 8.6.5.5)
_HEADER = 128
MISFIT = "its colour profile is of another kind than its colours, and was left out"


def colours(profile: bytes) -> str | None:
    """Return PDF's name of the colours that an ICC profile describes; None for a broken one.

    From its header alone (ICC.1:2010, 7.2): length, class, colour space, signature.
    """
    whole = len(profile) >= _HEADER and int.from_bytes(profile[:4], "big") <= len(profile)
    if not (whole and profile[36:40] == b"acsp" and profile[12:16] in _CLASSES):
        return None
    return _SPACES.get(profile[16:20])


def fitting(image: Image.Image, wanted: str | None) -> bytes | None:
    """Return the profile of an image if it describes such colours."""
    found: bytes | None = image.info.get("icc_profile")
    return found if found and wanted in CHANNELS and colours(found) == wanted else None


def misfits(image: Image.Image, wanted: str | None) -> bool:
    """Say whether an image has a profile that does not describe such colours."""
    return bool(image.info.get("icc_profile")) and wanted is not None and not fitting(image, wanted)
