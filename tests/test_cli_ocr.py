"""`watcherd ocr`: files become searchable PDFs at once, with nothing running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pypdfium2
import pytest
from makers import encoded, sheet
from needs import needs
from papers import book, scan
from premises import ROOT, environment, on_terminal, wait_for, watcherd

from watcherd.cli.bench import Done, place
from watcherd.cli.ocr import _tell

TIFF = book(3)


@pytest.fixture
def desk(tmp_path) -> Path:
    """Give a folder with a one-page and a three-page scan."""
    needs("tesseract")
    (tmp_path / "one.png").write_bytes(scan("Invoice number one"))
    (tmp_path / "three.tif").write_bytes(TIFF)
    return tmp_path


def text(pdf: Path) -> list[str]:
    """Return the text of each page."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.get_textpage().get_text_bounded() for page in document]


def test_a_file_becomes_a_searchable_pdf(desk):
    """The PDF lies beside the file, its path is printed, and the file stays as it is."""
    before = (desk / "one.png").read_bytes()
    said = watcherd("ocr", "one.png", cwd=desk)
    assert (said.code, said.out, said.err) == (0, "one.pdf\n", "")
    assert "Invoice number one" in text(desk / "one.pdf")[0]
    assert (desk / "one.png").read_bytes() == before
    assert sorted(os.listdir(desk)) == ["one.pdf", "one.png", "three.tif"]


def test_what_is_said_of_a_file_cannot_forge_lines(capsys):
    """Notes and problems may hold words of a hostile document, such as a font's name."""
    _tell(Done(Path("a.pdf"), problem="bad\nline", notes=("the font \x1b[31m is missing",)))
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 2
    assert "\x1b" not in err


def test_nothing_is_overwritten(desk):
    """A name that is taken gets a number, the same one for all formats of a file."""
    (desk / "out").mkdir()
    (desk / "out" / "one.txt").write_text("mine")
    for _ in range(2):
        said = watcherd("ocr", "one.png", "-o", "out", "-f", "pdf,txt", cwd=desk)
        assert said.code == 0, said.err
    assert sorted(os.listdir(desk / "out")) == [
        *("one-2.pdf", "one-2.txt", "one-3.pdf", "one-3.txt", "one.txt"),
    ]
    assert (desk / "out" / "one.txt").read_text() == "mine"
    assert (desk / "out" / "one-2.pdf").read_bytes() == (desk / "out" / "one-3.pdf").read_bytes()


def test_many_pages_and_files_at_a_time(desk):
    """Every page of every file is there, in its order, however many are read at a time."""
    said = watcherd("ocr", "three.tif", "one.png", "--jobs", 2, cwd=desk)
    assert said.code == 0, said.err
    assert sorted(said.out.split()) == ["one.pdf", "three.pdf"]
    pages = text(desk / "three.pdf")
    assert [f"page {n}" in page for n, page in enumerate(pages, 1)] == [True] * 3


def test_what_cannot_be_done_is_said_and_the_rest_is_done(desk):
    """Each file that is refused has its sentence; the others are done; the end is 1."""
    (desk / "empty.pdf").touch()
    (desk / "words.pdf").write_text("not a PDF")
    (desk / "cut.png").write_bytes(scan("cut short")[:2000])
    (desk / "folder").mkdir()
    names = ("empty.pdf", "words.pdf", "cut.png", "folder", "nosuch.png", "one.png")
    said = watcherd("ocr", *names, cwd=desk)
    assert (said.code, said.out) == (1, "one.pdf\n")
    told = dict(line.removeprefix("watcherd: ").split(": ", 1) for line in said.err.splitlines())
    assert told.keys() == set(names) - {"one.png"}
    assert told["empty.pdf"].endswith("(code empty)")
    assert told["words.pdf"].endswith("(code unsupported)")
    assert told["cut.png"].endswith("(code corrupt)")
    assert told["folder"].startswith("It is no regular file")
    assert told["nosuch.png"] == "No such file or directory (nosuch.png)"
    assert not [name for name in os.listdir(desk) if name.endswith(".part")]


def test_the_configuration_is_not_needed_but_used(desk):
    """Limits and languages come from the configuration where there is one."""
    file = desk / "watcherd.toml"
    file.write_text(
        '[ocr]\nlanguages = ["xyz"]\n[limits]\npages = 2\n'
        '[[inbox]]\nname = "a"\npath = "in"\noutbox = "out"\n'
    )
    said = watcherd("--config", file, "ocr", "one.png", cwd=desk)
    assert said.code == 4
    assert "xyz" in said.err
    said = watcherd("--config", file, "ocr", "three.tif", "-l", "eng", cwd=desk)
    assert said.code == 1
    assert "(code too-large)" in said.err


def test_a_configuration_that_is_broken_is_not_passed_over(desk):
    """A named configuration with mistakes ends with 3."""
    file = desk / "watcherd.toml"
    file.write_text("[ocr]\nlanguage = 1\n")
    assert watcherd("--config", file, "ocr", "one.png", cwd=desk).code == 3


@pytest.mark.parametrize(
    "words",
    [(), ("x", "-f", "doc"), ("x", "-l", "../eng"), ("x", "-o", "nosuch"), ("x", "--engine", "y")],
)
def test_wrong_words_end_with_2(tmp_path, words):
    """A format, language, folder or engine that cannot be ends with 2, and a sentence."""
    said = watcherd("ocr", *words, cwd=tmp_path)
    assert said.code == 2
    assert said.err


def test_a_page_that_outruns_its_memory_costs_its_file_alone(desk):
    """A file that needs more memory than allowed fails; the one beside it is done."""
    page = sheet(("far too large",), size=(6000, 6000)).image
    (desk / "large.png").write_bytes(encoded(page, "PNG", dpi=(600, 600)))
    file = desk / "watcherd.toml"
    file.write_text(
        '[limits]\npage_memory = "30M"\n[[inbox]]\nname = "a"\npath = "in"\noutbox = "out"\n'
    )
    said = watcherd("--config", file, "ocr", "large.png", "-j", 1, cwd=desk)
    assert said.code == 1
    assert "(code too-large)" in said.err or "(code crashed)" in said.err
    assert not (desk / "large.pdf").exists()


def test_a_terminal_sees_the_pages_go_by(desk):
    """On a terminal a line shows how many pages are done, and is gone at the end."""
    said = on_terminal("ocr", "three.tif", cwd=desk)
    assert said.code == 0
    assert "█████ 3/3 pages" in said.out
    assert said.out.endswith("\r\x1b[Kthree.pdf\n\r\x1b[K")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_child_outlives_the_command(desk, number):
    """Interrupted or killed, the command leaves no program behind, and no document half made."""
    child = subprocess.Popen(
        [sys.executable, "-m", "watcherd", "ocr", "three.tif", "-j", "2"],
        cwd=desk,
        env=environment(PYTHONPATH=str(ROOT)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    family = wait_for(lambda: children(child.pid))
    child.send_signal(number)
    child.wait(60)
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family))
    assert not (desk / "three.pdf").exists()


def children(pid: int) -> list[int]:
    """Return the programs that a program has started, over all of its threads."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found += map(int, task.read_text().split())
    return found


def test_a_set_of_names_is_placed_whole(tmp_path):
    """If one name of a set is taken, the whole set moves on, and nothing of it stays behind."""
    results = tmp_path / "results"
    results.mkdir()
    for name in ("document.txt", "document.pdf"):
        (results / name).write_text(name)
    (tmp_path / "a.pdf").write_text("foreign")
    paths = [results / "document.txt", results / "document.pdf"]
    placed = place(paths, tmp_path, "a.tif")
    assert [path.name for path in placed] == ["a-2.txt", "a-2.pdf"]
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == [
        *("a-2.pdf", "a-2.txt", "a.pdf"),
    ]
