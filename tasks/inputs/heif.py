"""HEIC photos, as phones take them: Pillow opens them with the decoder that is added here."""

from __future__ import annotations

from functools import partial

import pi_heif

from tasks.document import Input
from tasks.inputs import picture
from tasks.pictures import embed
from tasks.pictures.decoders import DECODERS, Decoder

_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_AVIF = (b"avif", b"avis")  # Pillow's own decoder knows these

# One thread a page, as everywhere; thumbnails and depth maps are nobody's pages.
pi_heif.register_heif_opener(
    decode_threads=1, thumbnails=False, depth_images=False, aux_images=False
)
DECODERS["HEIF"] = Decoder("HEIC", 10.0)


def is_one(head: bytes) -> bool:
    """Look for a HEIF brand in the file's first box (ISO/IEC 14496-12, `ftyp`)."""
    size = int.from_bytes(head[:4], "big")
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(size, len(head)), 4))]
    known = head[4:8] == b"ftyp" and any(brand in _BRANDS for brand in brands)
    return known and not any(brand in _AVIF for brand in brands)


INPUT = Input(
    "heif",
    is_one,
    partial(picture.open_file, name="heif", formats=("HEIF",)),
    picture.read,
    embed.sheets,
)
