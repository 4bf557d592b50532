"""The example of a configuration is valid, whole, and true about the defaults."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from watcherd import config
from watcherd.config_keys import REQUIRED, SECTIONS
from watcherd.formats import FORMATS

FILE = Path(__file__).parent.parent / "config.example.toml"
SECTION = re.compile(r"(?:# )?\[{1,2}([a-z]+)(?:\.[a-z]+)?\]{1,2}")
KEY = re.compile(r"(# )?([a-z_]+) = .+")

EXAMPLES = {
    ("notify", "urls"),
    ("notify", "command"),
    ("ocr", "passwords"),
    ("inbox", "passwords"),
}
"""Keys whose default, nothing at all, would teach nobody how to write them."""


def rows() -> list[tuple[str, str, bool, str]]:
    """Return section, key, whether it is commented out, and the line without its #."""
    found, section = [], ""
    for line in FILE.read_text("utf-8").splitlines():
        if head := SECTION.fullmatch(line):
            section = head[1]
        elif key := KEY.fullmatch(line):
            found.append((section, key[2], bool(key[1]), line.removeprefix("# ")))
    return found


def test_it_is_valid_as_it_is():
    """The example can be used unchanged."""
    found = config.load(FILE)
    assert [inbox.name for inbox in found.inboxes] == ["scanner"]


def test_it_has_every_key_once():
    """Every key of every section is in the example, and none that there is not."""
    keys = [(section, key) for section, key, _, _ in rows()]
    known = {(section, key) for section, keys in SECTIONS.items() for key in keys}
    assert sorted(keys) == sorted(known)


@pytest.mark.parametrize("row", [r for r in rows() if r[2]], ids=lambda r: f"{r[0]}.{r[1]}")
def test_a_commented_key_shows_its_default(row):
    """Taking away the # of a line changes nothing."""
    section, key, _, line = row
    spec = SECTIONS[section][key]
    value = spec.read(tomllib.loads(line)[key])
    inbox = config.load(FILE).inboxes[0]
    if (section, key) in EXAMPLES:
        assert not spec.default
    elif section == "inbox" and spec.default is None and value is not None:
        assert value == getattr(inbox, key)  # follows from another key
    else:
        assert value == spec.default


def test_only_what_must_be_said_is_said():
    """Lines without a # are keys without a default, and the two that people change first."""
    said = {(section, key) for section, key, commented, _ in rows() if not commented}
    needed = {
        (section, key)
        for section, keys in SECTIONS.items()
        for key, spec in keys.items()
        if spec.default is REQUIRED
    }
    assert said - needed == {("watcherd", "state_dir"), ("ocr", "languages")}
    assert needed <= said


@pytest.mark.parametrize(("section", "key"), [("watcherd", "state_dir"), ("ocr", "languages")])
def test_what_is_said_is_the_default(section, key):
    """The two that are said are their defaults."""
    spec = SECTIONS[section][key]
    assert spec.read(tomllib.loads(FILE.read_text("utf-8"))[section][key]) == spec.default


def test_every_key_has_a_comment():
    """Above every key, or the group of keys that it stands in, there is a comment."""
    lines = FILE.read_text("utf-8").splitlines()
    for _, key, _, line in rows():
        at = next(i for i, one in enumerate(lines) if one.removeprefix("# ") == line)
        while KEY.fullmatch(lines[at]):
            at -= 1
        if key == "on":  # explained by the comment of their table
            continue
        assert lines[at].startswith("#"), key


def test_it_names_all_formats():
    """A new format is mentioned."""
    text = FILE.read_text("utf-8")
    assert all(re.search(rf"\b{name}\b", text) for name in FORMATS)
