"""How every key of the configuration is read, by tables of good and bad values."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcherd import config_keys
from watcherd.config_keys import SECTIONS, read

NEEDED = {"inbox": {"name": "a", "path": "in", "outbox": "out"}}

GOOD = [
    ("watcherd", "state_dir", "var", Path("var")),
    ("watcherd", "broker", "embedded", "embedded"),
    ("watcherd", "broker", "redis://host:6379/0", "redis://host:6379/0"),
    ("watcherd", "broker", "amqps://user:pw@host//", "amqps://user:pw@host//"),
    ("watcherd", "broker", "redis+socket:///run/redis.sock", "redis+socket:///run/redis.sock"),
    ("watcherd", "rescan", 5, 5.0),
    ("watcherd", "in_flight", "auto", None),
    ("watcherd", "in_flight", 8, 8),
    ("watcherd", "min_free", 1024, 1024),
    ("watcherd", "min_free", "500M", 500 << 20),
    ("watcherd", "min_free", "1.5 GiB", 3 << 29),
    ("watcherd", "min_free", "2kb", 2048),
    ("ocr", "languages", ["deu", "chi_sim", "script/Latin"], ("deu", "chi_sim", "script/Latin")),
    ("inbox", "settle", "auto", None),
    ("inbox", "settle", 0, 0.0),
    ("inbox", "settle", 2.5, 2.5),
    ("inbox", "spool", "auto", None),
    ("inbox", "mode", "0664", 0o664),
    ("inbox", "mode", "640", 0o640),
    ("inbox", "output", "{date:%Y/%m}/{stem}", "{date:%Y/%m}/{stem}"),
    ("inbox", "formats", ["pdf", "txt", "hocr", "json"], ("pdf", "txt", "hocr", "json")),
    ("inbox", "ignore", ["*.log", "draft*"], ("*.log", "draft*")),
    ("notify", "on", [], ()),
]

BAD = [
    ("watcherd", "state_dir", "", "non-empty"),
    ("watcherd", "state_dir", "a\0b", "non-empty"),
    ("watcherd", "state_dir", "~nobody-of-this-name/x", "not known here"),
    ("watcherd", "broker", "http://host", "must be “embedded” or an address"),
    ("watcherd", "rescan", 0, "must be a number, 1 to 86400"),
    ("watcherd", "rescan", "60", "must be a number"),
    ("watcherd", "rescan", float("nan"), "must be a number"),
    ("watcherd", "ahead", True, "must be a whole number"),
    ("watcherd", "ahead", 2.0, "must be a whole number"),
    ("watcherd", "min_free", "lots", "500M"),
    ("watcherd", "min_free", -1, "500M"),
    ("watcherd", "log_level", "warn", "did you mean 'warning'?"),
    ("ocr", "languages", "eng", "must be a list"),
    ("ocr", "languages", [], "must not be empty"),
    ("ocr", "languages", ["eng", "eng"], "names something twice"),
    ("ocr", "languages", ["../eng"], "names of Tesseract languages"),
    ("ocr", "engine", "tesseroc", "did you mean 'tesserocr'?"),
    ("inbox", "name", "a b", "letters, digits"),
    ("inbox", "name", "../a", "letters, digits"),
    ("inbox", "mode", 640, "in quotes"),
    ("inbox", "mode", "888", "in quotes"),
    ("inbox", "mode", "4755", "in quotes"),
    ("inbox", "output", "../{stem}", "stay below the outbox"),
    ("inbox", "output", "/x", "stay below the outbox"),
    ("inbox", "output", "{steem}", "unknown field"),
    ("inbox", "output", "{stem", "unbalanced"),
    ("inbox", "formats", ["pdf", "doc"], "must be one of"),
    ("inbox", "originals", "move", "must be one of"),
    ("inbox", "settle", -1, "must be a number"),
    ("inbox", "ignore", ["a/b"], "no /"),
]


def said(text: str) -> str:
    return text.replace('"', "”").replace("“", "”")


@pytest.mark.parametrize(("section", "key", "value", "expected"), GOOD)
def test_a_good_value_is_read(section, key, value, expected):
    """A value as documented is read, into the type that the program works with."""
    problems: list[str] = []
    values = read(section, NEEDED.get(section, {}) | {key: value}, section, problems)
    assert (values[key], problems) == (expected, [])


@pytest.mark.parametrize(("section", "key", "value", "words"), BAD)
def test_a_bad_value_is_named_with_its_place(section, key, value, words):
    """A value that cannot be is one problem, which names the key and what would be right."""
    problems: list[str] = []
    read(section, NEEDED.get(section, {}) | {key: value}, f"{section}[7]", problems)
    assert len(problems) == 1
    assert problems[0].startswith(f"{section}[7].{key}: ")
    assert said(words) in said(problems[0])


@pytest.mark.parametrize("section", SECTIONS)
def test_what_is_absent_gets_its_default(section):
    """Every key is in the result, with its default where the table does not have it."""
    values = read(section, NEEDED.get(section, {}), section, [])
    defaults = {k: s.default for k, s in SECTIONS[section].items()}
    for key, default in defaults.items():
        if default is not config_keys.REQUIRED:
            assert values[key] == default
    assert values.keys() == defaults.keys()


def test_required_keys_are_asked_for():
    """An inbox without name, path and outbox is told of each."""
    problems: list[str] = []
    read("inbox", {}, "inbox[0]", problems)
    assert problems == [f"inbox[0].{key}: is missing" for key in ("name", "path", "outbox")]


def test_an_unknown_key_hears_of_the_nearest():
    """A slip of the pen is answered with the key that was probably meant."""
    problems: list[str] = []
    read("watcherd", {"state_dirr": "x"}, "watcherd", problems)
    assert problems == ["watcherd.state_dirr: unknown key; did you mean 'state_dir'?"]


def test_a_key_like_no_other_hears_of_all():
    """A key that resembles none is answered with those that there are."""
    problems: list[str] = []
    read("ocr", {"zzz": 1}, "ocr", problems)
    assert problems == ["ocr.zzz: unknown key; known are engine, languages, passwords, review"]


@pytest.mark.parametrize("table", [None, 3, "x", []])
def test_a_section_that_is_no_table_is_a_problem(table):
    """A section must be a table; anything else is said once."""
    problems: list[str] = []
    read("ocr", table, "ocr", problems)
    assert problems == ["ocr: must be a table"]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(st.sampled_from(sorted(SECTIONS)), st.data())
def test_no_value_breaks_a_reader(section, data):
    """Whatever a key holds, reading gives values or problems, and raises nothing."""
    keys = st.sampled_from(sorted(SECTIONS[section]))
    table = data.draw(st.dictionaries(keys, ANYTHING, max_size=5))
    problems: list[str] = []
    values = read(section, table, section, problems)
    assert values.keys() == SECTIONS[section].keys()
    assert all(problem.startswith(section) for problem in problems)
