"""How the last bytes of a file tell whether it is whole."""

from __future__ import annotations

import io

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from watcherd.endmark import HEAD, TAIL, Ending, ending


def judge(content: bytes) -> Ending:
    return ending(content[:HEAD], content[-TAIL:], len(content))


def image(form: str, **options) -> bytes:
    picture = Image.effect_noise((40, 30), 90).convert("RGB")
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def pdf(**options) -> bytes:
    out = io.BytesIO()
    document = pikepdf.new()
    for _ in range(3):
        document.add_blank_page()
    document.save(out, **options)
    return out.getvalue()


WHOLE = {
    "pdf": pdf(),
    "linearized pdf": pdf(linearize=True),
    "png": image("PNG"),
    "jpeg": image("JPEG"),
    "progressive jpeg": image("JPEG", progressive=True),
    "webp": image("WEBP"),
    "lossless webp": image("WEBP", lossless=True),
    "bmp": image("BMP"),
}


@pytest.mark.parametrize("content", WHOLE.values(), ids=WHOLE)
def test_a_whole_file_is_complete(content):
    """What a library has written to its end carries the end mark of its format."""
    assert judge(content) is Ending.COMPLETE


@pytest.mark.parametrize("content", WHOLE.values(), ids=WHOLE)
def test_no_cut_file_is_complete(content):
    """However early a copy stops, what is there does not look whole; a cut tail looks cut."""
    verdicts = [judge(content[:size]) for size in range(len(content) - 2)]
    assert Ending.COMPLETE not in verdicts
    assert verdicts[-1] is Ending.INCOMPLETE


@pytest.mark.parametrize("content", WHOLE.values(), ids=WHOLE)
def test_a_file_that_got_its_length_before_its_bytes_is_not_complete(content):
    """Windows sets the final length first: zeros in place of the last bytes prove nothing."""
    assert judge(content[:HEAD].ljust(len(content), b"\0")) is not Ending.COMPLETE


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"%PDF-1.4\n1 0 obj\n%%EOF", Ending.COMPLETE),
        (b"\xef\xbb\xbf\n%PDF-1.4\n%%EOF\r\n\0\0\x1a", Ending.COMPLETE),
        (b"%PDF-1.4\n%%EOF\n7 0 obj", Ending.UNKNOWN),
        (b"%PDF-1.4\n" + b"%%EOF\n" + b" " * TAIL, Ending.INCOMPLETE),
        (b"%PDF-1.4\n1 0 obj<</Linearized 1/L 5000/O 7 \n%%EOF\n", Ending.INCOMPLETE),
        (b"%PDF-1.4\n1 0 obj<</Linearized 1/L 40/O 7 \n%%EOF\n", Ending.COMPLETE),
        (WHOLE["png"] + b"\n", Ending.COMPLETE),
        (WHOLE["png"] + b"more", Ending.UNKNOWN),
        (WHOLE["jpeg"] + b"\0" * 16, Ending.COMPLETE),
        (WHOLE["jpeg"] + b"trailer of a telephone SEFT", Ending.UNKNOWN),
        (image("GIF"), Ending.UNKNOWN),
        (image("GIF") + b"\0", Ending.UNKNOWN),
        (image("GIF")[:-1], Ending.INCOMPLETE),
        (WHOLE["webp"] + b"more", Ending.UNKNOWN),
        (WHOLE["bmp"] + b"more", Ending.UNKNOWN),
        (b"BM" + bytes(4) + WHOLE["bmp"][6:], Ending.UNKNOWN),
        (b"BMW invoices of last year, in plain text", Ending.UNKNOWN),
        (b"RIFF" + b"\x04\0\0\0" + b"WAVE", Ending.UNKNOWN),
        (b"plain text %%EOF", Ending.UNKNOWN),
        (b"", Ending.UNKNOWN),
    ],
)
def test_padding_is_allowed_and_doubt_is_unknown(content, expected):
    """Padding behind the mark does no harm; anything else behind it, or no known format, doubts."""
    assert judge(content) is expected


@pytest.mark.parametrize(
    ("head", "size", "expected"),
    [
        (b"II*\0\x08\0\0\0", 5000, Ending.UNKNOWN),
        (b"MM\0*\0\0\x13\x87", 5000, Ending.UNKNOWN),
        (b"MM\0*\0\0\x13\x88", 5000, Ending.INCOMPLETE),
        (b"II*\0\0\0\0\0", 5000, Ending.INCOMPLETE),
        (b"II*\0", 4, Ending.INCOMPLETE),
        (b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0", 5000, Ending.UNKNOWN),
        (b"II+\0\x08\0\0\0\0\0\0\0\x01\0\0\0", 5000, Ending.INCOMPLETE),
        (b"MM\0+\0\x08\0\0\0\0\0\0\0\0\0\x10", 5000, Ending.UNKNOWN),
    ],
)
def test_a_tiff_is_never_complete(head, size, expected):
    """Pages may be appended to a TIFF; it is incomplete when its first directory is not there."""
    assert ending(head, b"anything", size) is expected


@given(
    start=st.sampled_from([*(content[:16] for content in WHOLE.values()), b"II*\0", b""]),
    middle=st.binary(max_size=HEAD),
    tail=st.binary(max_size=TAIL),
    size=st.integers(min_value=0, max_value=1 << 63),
)
def test_any_bytes_can_be_judged(start, middle, tail, size):
    """No header, however broken, makes the judgement raise."""
    assert ending((start + middle)[:HEAD], tail, size) in Ending
