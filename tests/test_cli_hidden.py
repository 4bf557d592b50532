"""What a user may not read: said by name with what to do, and never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from needs import needs
from premises import Premises, watcherd

SETTLED = b"%PDF-1.7\n%%EOF\n"

STRANGER = """
import os, pathlib, sys
from watcherd import config
from watcherd.cli.explaining import Explainer
if os.geteuid() == 0:
    os.seteuid(65534)
for answer in Explainer(config.load(pathlib.Path(sys.argv[1])), None).explain(sys.argv[2]):
    print(answer.code, answer.says[0])
"""


def test_an_unreadable_file_says_so():
    """What this user cannot read is told as such."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        premises = Premises(Path(folder))
        path = premises.inbox / "a.pdf"
        path.write_bytes(SETTLED)
        path.chmod(0)
        said = subprocess.run(
            [sys.executable, "-c", STRANGER, premises.file, path],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    assert said == (
        f"unreadable {path} cannot be read by this user: Permission denied; "
        "run this command as the user of the service (sudo -u USER …)\n"
    )


@pytest.mark.parametrize("name", ["inbox/shut/a.pdf", "elsewhere/shut/a.pdf"])
def test_a_folder_that_cannot_be_read_says_so(name):
    """A file in a folder of somebody else's is said to be hidden, by name, with what to do."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        premises = Premises(Path(folder))
        path = premises.root / name
        path.parent.mkdir(parents=True)
        path.write_bytes(SETTLED)
        path.parent.chmod(0)
        said = subprocess.run(
            [sys.executable, "-c", STRANGER, premises.file, path],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        path.parent.chmod(0o700)
    assert f"{path} cannot be read by this user: Permission denied; run this" in said
    assert said.startswith("unreadable" if "inbox" in name else "elsewhere")


def test_a_spool_that_cannot_be_read_is_no_crash():
    """What of the service itself is hidden from the user is told beside what can be seen."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        premises = Premises(Path(folder))
        (premises.root / "state").mkdir(mode=0)
        path = premises.inbox / "a.pdf"
        path.write_bytes(SETTLED)
        said = subprocess.run(
            [sys.executable, "-c", STRANGER.replace("answer.says[0]", "answer.says"),
             premises.file, path],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    assert "state/spool/spool.json cannot be read by this user" in said


def test_a_place_that_may_not_be_looked_at_is_named():
    """Where a folder that is searched cannot be read, the file is named, and what to do."""
    needs("root")
    program = "import os; from watcherd import config; os.seteuid(65534); config.search()"
    with tempfile.TemporaryDirectory() as folder:
        said = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "XDG_CONFIG_HOME": folder, "WATCHERD_CONFIG": ""},
            capture_output=True, text=True, check=False,
        ).stderr  # fmt: skip
    assert f"{folder}/watcherd/config.toml: cannot be read: Permission denied" in said
    assert "--config" in said


def test_a_fault_of_the_machine_is_no_traceback(tmp_path):
    """An error of the system that nobody expected names its file and ends with 4."""
    said = watcherd("init", "--dir", "/dev/null/x", "--output", tmp_path / "c.toml", cwd=tmp_path)
    assert (said.code, said.out) == (4, "")
    assert said.err == "watcherd: /dev/null/x/inbox: Not a directory\n"
