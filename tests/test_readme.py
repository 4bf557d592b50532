"""What README.md shows is what the code has."""

from __future__ import annotations

import re
from pathlib import Path

from watcherd import jobdir, lifecycle
from watcherd.cli import VERBS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_the_life_of_a_job_is_the_table():
    """The diagram of a job's life is the one that follows from the table of transitions."""
    assert f"```mermaid\n{lifecycle.mermaid()}\n```" in README


def test_the_directory_listing_names_the_files_of_a_job():
    """The listing of a job's directory names the same files as the module that writes them."""
    listing = re.search(r"```\nwork/<job>/\n(.*?)```", README, re.DOTALL)
    assert listing is not None
    shown = re.findall(r"^    (\S+)", listing[1], re.MULTILINE)
    documented = re.findall(r"^    (\S+)", jobdir.__doc__ or "", re.MULTILINE)
    assert shown == documented


def test_the_commands_shown_exist():
    """Every `make` target and every verb that the README names exists."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"`?make (\w+)", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for verb in re.findall(r"`watcherd (\w+)", README):
        assert verb in VERBS
