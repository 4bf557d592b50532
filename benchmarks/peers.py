"""The peers: plain tesseract, and OCRmyPDF with its defaults.

Both with one thread and with orientation detection, as the service has it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import pdftext

if TYPE_CHECKING:
    from collections.abc import Sequence

PEERS = ("tesseract", "OCRmyPDF")

_DPI = "300"
"""What the baseline of the corpus renders PDFs with, and what a scan without a resolution has."""

_MADE = (0, 10)
"""Exit codes of OCRmyPDF with a good PDF: ok, and ok but for PDF/A (its "Return code policy")."""

_BESIDE = os.fspath(Path(sys.executable).parent)


def absent(peer: str) -> str | None:
    """Return what has to be installed before a peer can run; None if it can."""
    if peer == "OCRmyPDF":
        return None if ocrmypdf() else "ocrmypdf is not installed; pip install ocrmypdf"
    lacks = [name for name in ("tesseract", "pdftoppm") if shutil.which(name) is None]
    return f"{' and '.join(lacks)} not installed" if lacks else None


def read(peer: str, file: Path, languages: Sequence[str]) -> str | None:
    """Return the text that a peer finds in a file; None where it refuses the file."""
    with tempfile.TemporaryDirectory(prefix="peer-") as folder:
        if peer == "tesseract":
            return _tesseract(file, languages, Path(folder))
        pdf = searchable(file, languages, Path(folder))
        return None if pdf is None else "\n".join(pdftext.pages(pdf))


def searchable(file: Path, languages: Sequence[str], into: Path) -> Path | None:
    """Return the PDF that OCRmyPDF makes of a file, in the folder; None where it refuses."""
    made = into / "out.pdf"
    command = [ocrmypdf() or "ocrmypdf", "-l", "+".join(languages), "--jobs", "1"]
    command += ["--rotate-pages", os.fspath(file), os.fspath(made)]
    done = _run(command)
    if done.returncode not in _MADE and file.suffix != ".pdf":
        # It refuses images that do not say their resolution; so it is told one.
        done = _run([*command, "--image-dpi", _DPI])
    return made if _good("OCRmyPDF", file, done, _MADE) else None


def _tesseract(file: Path, languages: Sequence[str], scratch: Path) -> str | None:
    images = [file]
    if file.suffix == ".pdf":
        target = os.fspath(scratch / "page")
        done = _run(["pdftoppm", "-r", _DPI, "-png", os.fspath(file), target])
        if not _good("pdftoppm", file, done):
            return None
        images = sorted(scratch.glob("page*.png"))  # numbers have leading zeros
    texts = []
    for image in images:
        done = _run(["tesseract", os.fspath(image), "-", "-l", "+".join(languages), "--psm", "1"])
        if not _good("tesseract", file, done):
            return None
        texts.append(done.stdout.decode("utf-8"))
    return "\n".join(texts)


def _good(
    program: str, file: Path, done: subprocess.CompletedProcess[bytes], codes: Sequence[int] = (0,)
) -> bool:
    """Tell whether a program read a file; print why not.

    A language that is not installed must not pass for a file that is too hard.
    """
    if done.returncode in codes:
        return True
    last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
    print(f"{program} refuses {file.name}: {last or f'exit code {done.returncode}'}", flush=True)
    return False


def ocrmypdf() -> str | None:
    """Return where the program is, None if it is not installed; ours before that of the system."""
    return shutil.which("ocrmypdf", path=os.pathsep.join((_BESIDE, os.environ.get("PATH", ""))))


def _run(command: list[str]) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end, with one thread."""
    return subprocess.run(
        command, capture_output=True, check=False, env=os.environ | {"OMP_THREAD_LIMIT": "1"}
    )
