"""A disk without room is the machine's fault, and nobody dies of it."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

SCRIPT = """
import os, resource, sys
from pathlib import Path
import pikepdf
from tasks.outputs import pdf as pdf_output
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
with pikepdf.new() as pdf:
    pdf.add_blank_page()
    pdf.pages[0].Contents = pdf.make_stream(os.urandom(200_000))
    try:
        pdf_output.save(pdf, Path(sys.argv[1]))
    except OSError as error:
        print(error.errno)
"""


@pytest.mark.parametrize("room", [0, 4096, 150_000])
def test_a_pdf_that_does_not_fit_is_an_error_like_any_other(room, tmp_path):
    """Where a PDF cannot be written the error is raised; qpdf by itself would end the process."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "a.pdf"), str(room)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, str(errno.EFBIG)), done.stderr
