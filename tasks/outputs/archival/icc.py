"""Colour profiles: the sRGB profile that we embed, and whether another's can be trusted.

The profile is made here, out of the published figures alone, so that nobody's terms come with
it and its bytes never change: ISO 15076-1 (ICC.1:2010) for the layout, IEC 61966-2-1 for sRGB.
"""

from __future__ import annotations

import struct

_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)  # IEC 61966-2-1: g, a, b, c, d
_WHITE = (0.9642, 1.0, 0.8249)  # D50, which every profile's colours refer to (ISO 15076-1, 7.2.16)
# The primaries of IEC 61966-2-1 and their white (D65), brought to D50 by the Bradford matrix
# below (ISO 15076-1, annex E). They add up to that white.
_PRIMARIES = {
    b"rXYZ": (0.436066, 0.222488, 0.013916),
    b"gXYZ": (0.385147, 0.716873, 0.097076),
    b"bXYZ": (0.143066, 0.060608, 0.714096),
}
_BRADFORD = (1.047882, 0.022919, -0.050201, 0.029587, 0.990479, -0.017059, -0.009232, 0.015076)
_BRADFORD_LAST = 0.751678
_BORN = (2024, 1, 1, 0, 0, 0)  # any fixed time, so that the bytes stay the same
_HEADER = 128
_CLASSES = {b"prtr", b"mntr", b"scnr", b"spac"}  # ISO 19005-2, 6.2.4.2
_CHANNELS = {b"GRAY": 1, b"RGB ": 3, b"Lab ": 3, b"CMYK": 4}


def srgb() -> bytes:
    """Return the profile of sRGB, version 4.2."""
    tags = {
        b"desc": _text("sRGB"),
        b"cprt": _text("No copyright; use freely"),
        b"wtpt": _xyz(_WHITE),
        b"chad": b"sf32" + bytes(4) + _numbers((*_BRADFORD, _BRADFORD_LAST)),
        **{name: _xyz(place) for name, place in _PRIMARIES.items()},
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _curve()),
    }
    places: dict[bytes, int] = {}
    body = b""
    start = _HEADER + 4 + 12 * len(tags)
    for data in tags.values():
        if data not in places:
            places[data] = start + len(body)
            body += data + bytes(-len(data) % 4)
    table = struct.pack(">I", len(tags))
    for name, data in tags.items():
        table += struct.pack(">4sII", name, places[data], len(data))
    return _header(start + len(body)) + table + body


def channels(profile: bytes) -> int:
    """Return how many channels a profile speaks of, 0 where ISO 19005-2 forbids it (6.2.4.2)."""
    if len(profile) < _HEADER or profile[36:40] != b"acsp":
        return 0
    sound = profile[12:16] in _CLASSES and profile[8] < 5  # noqa: PLR2004  -- versions up to 4
    return _CHANNELS.get(profile[16:20], 0) if sound else 0


def is_output(profile: bytes) -> bool:
    """Say whether a profile may describe what a whole file is meant for (ISO 19005-2, 6.2.3)."""
    return (
        channels(profile) > 0 and profile[12:16] in {b"prtr", b"mntr"} and profile[16:19] != b"Lab"
    )


def _header(size: int) -> bytes:
    head = struct.pack(">I4sI4s4s4s", size, bytes(4), 0x04200000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H4s", *_BORN, b"acsp")
    head += bytes(68 - len(head)) + _numbers(_WHITE)
    return head + bytes(_HEADER - len(head))


def _text(text: str) -> bytes:
    letters = text.encode("utf-16-be")
    return struct.pack(">4sIII2s2sII", b"mluc", 0, 1, 12, b"en", b"US", len(letters), 28) + letters


def _xyz(place: tuple[float, ...]) -> bytes:
    return b"XYZ " + bytes(4) + _numbers(place)


def _curve() -> bytes:
    return struct.pack(">4sIHH", b"para", 0, 3, 0) + _numbers(_CURVE)


def _numbers(values: tuple[float, ...]) -> bytes:
    """Return s15Fixed16 numbers."""
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)
