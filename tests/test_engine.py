"""Both engines behind one function."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from shutil import which

import makers
import pytest
from PIL import Image

from tasks import hocr
from tasks.reading import engine
from watcherd.errors import EnvironmentFault, Overrun, Refusal

SHEET = makers.sheet()

needs_program = pytest.mark.skipif(not which("tesseract"), reason="tesseract is not installed")
needs_library = pytest.mark.skipif(engine.tesserocr is None, reason="tesserocr is not installed")
BOTH = [
    pytest.param("tesserocr", marks=needs_library),
    pytest.param("pytesseract", marks=needs_program),
]


def read(image=SHEET.image, name="auto", seconds=60.0, languages=("eng",), psm=3):
    return engine.recognise(image, languages, engine=name, dpi=makers.DPI, psm=psm, seconds=seconds)


@pytest.mark.parametrize("name", BOTH)
def test_words_are_read_in_place(name):
    """Either engine reads the words where they were drawn."""
    found = [word for line in hocr.parse(read(name=name)) for word in line.words]
    assert [word.text for word in found] == [word for word, _ in SHEET.words]
    for word, (_, ink) in zip(found, SHEET.words, strict=True):
        assert makers.overlap(word.box, ink) > 0.7


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("image", [Image.new("L", (1, 1), 255), Image.new("L", (300, 200), 255)])
@pytest.mark.parametrize("psm", [3, 11])
def test_empty_page_has_no_words(name, image, psm):
    """A page without text gives an empty page, not a crash."""
    assert hocr.parse(read(image, name, psm=psm)) == ()


@pytest.mark.parametrize("name", BOTH)
def test_result_tells_nothing_of_the_machine(name):
    """No path of a temporary file enters the result: two readings are the same."""
    assert read(name=name) == read(name=name)


@needs_library
def test_pages_do_not_teach_each_other():
    """The warm engine reads a page the same after any other."""
    before = read(name="tesserocr")
    read(makers.sheet(("lnvoice nurnber", "Totol arnount")).image, "tesserocr")
    assert read(name="tesserocr") == before


@pytest.mark.parametrize("name", BOTH)
def test_time_is_limited(name):
    """A page that takes longer than its time is given up, soon after."""
    dense = makers.sheet(("word " * 40,) * 60, size=(4000, 3500), font_size=36, top=20, leading=56)
    start = time.monotonic()
    with pytest.raises(Overrun) as caught:
        read(dense.image, name, seconds=0.3)
    assert caught.value.code == "timeout"
    assert time.monotonic() - start < 5
    with pytest.raises(Overrun):
        read(name=name, seconds=-1)
    assert hocr.parse(read(name=name)), "the engine must work on after giving up"


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_orientation_is_told(name, turned):
    """The angle that would bring a page upright is found on a page with enough letters."""
    text = ("The quick brown fox jumps over", "a lazy dog while seven wizards", "make toxic brew")
    page = makers.sheet(text * 2, size=(1000, 800)).turned(turned)
    degrees, sure = engine.detect_orientation(page.image, engine=name)
    assert degrees == -turned % 360
    assert sure > 1.5


@pytest.mark.parametrize("name", BOTH)
def test_orientation_of_nothing_is_unsure(name):
    """Where no letters are, no orientation is claimed."""
    assert engine.detect_orientation(Image.new("L", (400, 300), 255), engine=name) == (0, 0.0)


@pytest.mark.parametrize("name", ["auto", *BOTH])
def test_missing_language_says_what_to_install(name):
    """A language without data is refused with the package that has it."""
    with pytest.raises(Refusal, match=r"apt install tesseract-ocr-tlh-piqad") as caught:
        read(name=name, languages=("eng", "tlh_piqad"))
    assert caught.value.code == "language-missing"


def test_languages_and_version_are_told():
    """Languages are listed without the detector's data, the version is a number."""
    names = engine.installed_languages()
    assert "eng" in names
    assert "osd" not in names
    assert engine.engine_version("auto")[0].isdigit()


def test_missing_engine_is_the_machines_fault(monkeypatch):
    """Without an engine the environment is to blame, and the message says what to install."""
    monkeypatch.setattr(engine, "tesserocr", None)
    monkeypatch.setenv("PATH", "")
    for name in ("auto", "tesserocr", "pytesseract"):
        with pytest.raises(EnvironmentFault, match="install"):
            engine.resolve(name, ("eng",))


def test_one_thread_per_page():
    """Tesseract's own threads are off in this process and those that it starts."""
    assert os.environ["OMP_THREAD_LIMIT"] == "1"


@needs_library
def test_a_forked_child_makes_its_own_engine(tmp_path):
    """After a fork, as in a worker's pool, the child recognises the same."""
    code = """
import os, sys
from PIL import Image
from tasks.reading import engine
def read():
    return engine.recognise(Image.open(sys.argv[1]), ("eng",), engine="tesserocr", dpi=200,
                            psm=3, seconds=60)
first = read()
child = os.fork()
if child == 0:
    os._exit(0 if read() == first else 3)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    page = makers.saved(SHEET.image, tmp_path / "page.png")
    program = [sys.executable, "-W", "ignore", "-c", code, page]
    assert subprocess.run(program, timeout=60, check=False).returncode == 0


@needs_program
def test_temporary_files_are_private_and_gone(tmp_path, monkeypatch):
    """The program is handed files of ours in a folder of its own, which does not outlive it."""
    monkeypatch.setattr(engine.tempfile, "tempdir", str(tmp_path))
    read(name="pytesseract")
    assert list(tmp_path.iterdir()) == []


@needs_program
def test_a_full_disk_stays_an_os_error(tmp_path, monkeypatch):
    """Where no temporary file can be written the system's error goes through."""
    monkeypatch.setattr(engine.tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(OSError, match="gone"):
        read(name="pytesseract")


def test_data_folder_of_the_environment_comes_first(tmp_path, monkeypatch):
    """TESSDATA_PREFIX is asked first, and passed over when a language is not there."""
    (tmp_path / "zzz.traineddata").touch()
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    assert engine.data_folders()[0] == tmp_path
    assert engine.data_folder(("zzz",)) == tmp_path
    assert engine.data_folder(("eng", "osd")) != tmp_path
