"""Images of a few pixels, or far longer than wide, from the file to the PDF."""

from __future__ import annotations

import pikepdf
import pytest
from makers import checked
from PIL import Image
from readers import found, recognised

from tasks import outputs
from watcherd.model import Limits, Options

META = outputs.Meta("Tiny", "in/tiny.png", "j-7f3a", "ab" * 32, 1_700_000_000)


@pytest.mark.parametrize("mode", ["L", "LA"])
@pytest.mark.parametrize(
    "size", [(1, 1), (2, 500), (500, 2), (9600, 2), (4, 15000), (20000, 10), (3, 4)]
)
def test_every_size_becomes_a_page(tmp_path, size, mode):
    """A PDF with all the pixels comes of any image that fits on a page, however small its side."""
    path = tmp_path / "a.png"
    Image.new(mode, size, 255 if mode == "L" else (255, 200)).save(path)
    options, document = Options(), found(path, Limits())
    (tmp_path / "page").mkdir()
    (tmp_path / "out").mkdir()
    recognised(path, 1, options, tmp_path / "page")
    out = outputs.build(path, document, [tmp_path / "page"], options, META, tmp_path / "out").files
    with pikepdf.open(checked(out["pdf"])) as pdf:
        sides = [float(side) for side in pdf.pages[0].obj.MediaBox][2:]
        image = pdf.pages[0].obj.Resources.XObject.Im0
        assert (image.Width, image.Height) == size
    assert all(3 <= side <= 14400 for side in sides)
    assert sides[0] / sides[1] == pytest.approx(size[0] / size[1], rel=1e-3)
