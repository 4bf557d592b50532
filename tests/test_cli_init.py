"""`watcherd init`: a configuration that works, written once, never over another."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from premises import on_terminal, watcherd

from watcherd import config
from watcherd.cli.init import toml

QUESTION = "Folder for inbox, outbox, archive and failed"


def test_it_writes_a_configuration_that_works(tmp_path):
    """From options alone: a file that loads, with the folders that it names made."""
    file = tmp_path / "watcherd.toml"
    said = watcherd(
        *("init", "--dir", tmp_path / "scans", "--output", file, "--name", "fax"),
        *("--languages", "deu,eng", "--state-dir", tmp_path / "state"),
    )
    assert said.code == 0, said.err
    found = config.load(file)
    (inbox,) = found.inboxes
    assert (inbox.name, inbox.languages) == ("fax", ("deu", "eng"))
    assert found.state_dir == tmp_path / "state"
    assert not (tmp_path / "state").exists()  # the daemon's to make
    for folder in (inbox.path, inbox.outbox, inbox.archive, inbox.failed):
        assert folder.parent == tmp_path / "scans"
        assert folder.is_dir()
    assert f"next: `watcherd --config {file} check`" in said.out


def test_every_key_keeps_its_comment(tmp_path):
    """What is written is the example, but for the few lines that were asked for."""
    file = tmp_path / "watcherd.toml"
    watcherd("init", "--dir", tmp_path, "--output", file)
    written = file.read_text().splitlines()
    example = (config.Path(__file__).parent.parent / "config.example.toml").read_text().splitlines()
    changed = [new for old, new in zip(example, written, strict=True) if old != new]
    assert [line.partition(" = ")[0] for line in changed] == [
        *("state_dir", "path", "outbox", "archive", "failed"),
    ]


def test_relative_folders_count_from_here(tmp_path):
    """`--dir var` is below the current folder, and the state beside the inbox."""
    said = watcherd("init", "--dir", "var", "--output", "var/config.toml", cwd=tmp_path)
    assert said.code == 0, said.err
    found = config.load(tmp_path / "var" / "config.toml")
    assert found.inboxes[0].path == tmp_path / "var" / "inbox"
    assert found.state_dir == tmp_path / "var" / "state"


def test_nothing_is_overwritten(tmp_path):
    """A file that is there stays, byte for byte, unless it is forced; folders may be there."""
    file = tmp_path / "watcherd.toml"
    file.write_text("mine")
    said = watcherd("init", "--dir", tmp_path, "--output", file)
    assert (said.code, file.read_text()) == (2, "mine")
    assert "--force overwrites it" in said.err
    assert not (tmp_path / "inbox").exists()
    for _ in range(2):
        assert watcherd("init", "--dir", tmp_path, "--output", file, "--force").code == 0
    assert config.load(file).inboxes[0].path == tmp_path / "inbox"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["watcherd.toml"]


def test_the_config_option_names_the_file(tmp_path):
    """`watcherd --config FILE init` writes FILE."""
    file = tmp_path / "deep" / "mine.toml"
    assert watcherd("--config", file, "init", "--dir", tmp_path).code == 0
    assert config.load(file).source == file


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--languages", "d!"), 2, "Tesseract"),
        (("--name", "a b"), 2, "letters, digits"),
        (("--state-dir", "inbox/state"), 3, "watcherd.state_dir: lies inside"),
        (("--output", "/proc/x.toml"), 4, "cannot be written"),
    ],
)
def test_what_cannot_work_is_not_written(tmp_path, words, code, says):
    """Wrong answers end with their code before anything is written or made."""
    said = watcherd("init", "--output", "x.toml", "--dir", ".", *words, cwd=tmp_path)
    assert said.code == code
    assert says in said.err
    assert list(tmp_path.iterdir()) == []


def test_a_terminal_is_asked(tmp_path):
    """On a terminal what no option says is asked for, with a default."""
    file = tmp_path / "watcherd.toml"
    said = on_terminal("init", "--output", file, typed=f"{tmp_path}/mine\ndeu+eng\n")
    assert said.code == 0, said.out
    assert QUESTION in said.out
    (inbox,) = config.load(file).inboxes
    assert (inbox.path, inbox.languages) == (tmp_path / "mine" / "inbox", ("deu", "eng"))


def test_a_terminal_is_not_asked_for_what_is_said(tmp_path):
    """Options answer the questions."""
    words = ("init", "--output", tmp_path / "x.toml", "--dir", tmp_path, "--languages", "eng")
    said = on_terminal(*words)
    assert said.code == 0
    assert QUESTION not in said.out


@given(st.text(st.characters(codec="utf-8")))
def test_any_text_is_quoted_right(text):
    """Whatever a path holds, TOML reads it back."""
    assert tomllib.loads(f"x = {toml([text])}") == {"x": [text]}
