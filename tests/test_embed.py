"""A PDF out of an image file: a page each picture, and nothing else in memory."""

from __future__ import annotations

import resource
from types import SimpleNamespace

import pikepdf
import pytest
from kills import fork, status
from makers import checked, encoded, saved
from pictures import LETTERS, photo
from PIL import Image, ImageChops
from readers import found

from tasks.pictures import embed
from tasks.saving import save
from watcherd.errors import Refusal


def facts(*points: tuple[float, float]) -> list[SimpleNamespace]:
    """Return as much of pages' facts as embedding asks for."""
    return [SimpleNamespace(points=pair, orientation=1) for pair in points]


def test_each_page_has_its_size(tmp_path):
    """Pages are as large as they were found to be, with the picture all over them."""
    path = tmp_path / "a.tif"
    LETTERS.save(path, save_all=True, append_images=[LETTERS, LETTERS])
    with embed.sheets(path, found(path), facts((100, 50), (3, 14400), (612.12345, 792))) as pdf:
        boxes = [[float(v) for v in page.obj.MediaBox] for page in pdf.pages]
        contents = [page.obj.Contents.read_bytes() for page in pdf.pages]
        save(pdf, tmp_path / "a.pdf")
    assert boxes == [[0, 0, 100, 50], [0, 0, 3, 14400], [0, 0, 612.1235, 792]]
    assert contents[0].split(b"\n")[1] == b"100.0000 0.0000 0.0000 50.0000 0.0000 0.0000 cm"
    checked(tmp_path / "a.pdf")


def test_animation_is_one_page(tmp_path):
    """Of an animation only the first picture is embedded."""
    path = tmp_path / "a.gif"
    LETTERS.save(path, save_all=True, append_images=[ImageChops.invert(LETTERS)])
    with embed.sheets(path, found(path), facts((100, 50))) as pdf:
        assert len(pdf.pages) == 1
        got = pikepdf.PdfImage(pdf.pages[0].obj.Resources.XObject.Im0).as_pil_image()
        assert got.convert("L").tobytes() == LETTERS.tobytes()


def test_the_same_file_gives_the_same_bytes(tmp_path):
    """Nothing of the time or the place enters the PDF."""
    made = []
    for name in ("a.png", "b.png"):
        path = saved(photo(), tmp_path / name) if not made else tmp_path / "a.png"
        with embed.sheets(path, found(path), facts((100, 50))) as pdf:
            save(pdf, tmp_path / name.replace("png", "pdf"))
        made.append((tmp_path / name.replace("png", "pdf")).read_bytes())
    assert made[0] == made[1]


def test_pages_do_not_stay_in_memory(tmp_path):
    """A book of photos is never in memory, decoded or coded: only a page of it at a time."""
    frame = Image.effect_noise((1500, 1000), 60)  # 1.5 MB each, however coded
    path = tmp_path / "a.tif"
    frame.save(path, save_all=True, append_images=[frame] * 59)
    document = found(path)

    def child() -> None:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with embed.sheets(path, document, facts(*[(300, 200)] * 60)) as pdf:
            save(pdf, tmp_path / "a.pdf")
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40 << 10  # KiB

    assert status(fork(child)) == 0
    assert (tmp_path / "a.pdf").stat().st_size > 75 << 20


def test_a_file_that_was_cut_since_makes_no_pdf(tmp_path):
    """Half a picture is never published, even when the file changes after it was read."""
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(photo(), "JPEG"))
    document = found(path)
    path.write_bytes(path.read_bytes()[:-2000])
    with (
        pytest.raises(Refusal, match="ends before its end") as caught,
        embed.sheets(path, document, facts((100, 50))),
    ):
        pass
    assert caught.value.code == "corrupt"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_placement_is_a_whole_page(orientation):
    """For each orientation the image's corners are the page's corners."""
    a, b, c, d, e, f = embed.placement(orientation, 30, 20)
    corners = {(u * a + v * c + e, u * b + v * d + f) for u in (0, 1) for v in (0, 1)}
    assert corners == {(0, 0), (30, 0), (0, 20), (30, 20)}
