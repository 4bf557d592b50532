"""What commands print: for a person, for a pipe, for a program."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcherd.cli import output

BARS = [
    (0, 8, "░░░░░ 0/8"),
    (3, 8, "█░░░░ 3/8"),
    (5, 8, "███░░ 5/8"),
    (8, 8, "█████ 8/8"),
    (9, 8, "█████ 9/8"),
    (1, 1, "█████ 1/1"),
    (0, None, ""),
    (0, 0, ""),
]
SPANS = [
    (None, ""),
    (-3.0, "0 s"),
    (59.9, "59 s"),
    (60, "1 min"),
    (7199, "1 h"),
    (172800, "2 d"),
]


@pytest.mark.parametrize(("current", "total", "shown"), BARS)
def test_a_bar_shows_pages(current, total, shown):
    """Five cells and the count; nothing where the number of pages is not known."""
    assert output.bar(current, total) == shown


@pytest.mark.parametrize(("seconds", "shown"), SPANS)
def test_a_span_is_shown_in_its_largest_unit(seconds, shown):
    """Seconds become a number that a person takes in at a glance."""
    assert output.ago(seconds) == shown


@given(st.text(), st.integers(min_value=1, max_value=60))
def test_shortened_text_fits(text, room):
    """No text takes more cells than it is given, whatever its letters are."""
    assert output.width(output.shorten(text, room)) <= room


@given(st.text(max_size=20))
def test_what_fits_is_not_shortened(text):
    """Text that fits stays as it is."""
    assert output.shorten(text, output.width(text)) == text


def test_wide_letters_take_two_cells():
    """Letters of East Asia are twice as wide, combining marks have no width."""
    assert output.width("日本") == 4
    assert output.width("e\u0301") == 1


def test_a_table_in_a_pipe_is_tabs(capsys):
    """Without a terminal: no heading, no colour, one tab between two columns."""
    output.table(("NAME", "STATE"), [("a", "done"), ("b", "")], state=1)
    assert capsys.readouterr().out == "a\tdone\nb\t\n"


def test_facts_leave_out_what_is_empty(capsys):
    """Of one thing only what is known is printed."""
    output.facts([("job", "x"), ("code", ""), ("state", "done")])
    assert capsys.readouterr().out == "job\tx\nstate\tdone\n"


@given(st.text())
def test_json_is_ascii_and_exact(text):
    """JSON holds no byte that a terminal or a locale could take amiss, and gives the text back."""
    printed = json.dumps([text], indent=2, ensure_ascii=True)
    assert printed.isascii()
    assert not any(c < " " and c != "\n" for c in printed)
    assert json.loads(printed) == [text]
