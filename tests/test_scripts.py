"""Which languages a page's script leaves."""

from __future__ import annotations

import pytest

from tasks.reading import scripts


@pytest.mark.parametrize(
    ("languages", "several"),
    [
        (("eng",), False),
        (("eng", "deu", "script/Latin"), False),
        (("eng", "kor"), True),
        (("chi_sim", "jpn"), False),  # both write Han
        (("rus", "ukr"), False),
        (("eng", "rus", "ell"), True),
    ],
)
def test_only_scripts_can_be_told_apart(languages, several):
    """Detection is asked for where languages share no script, and only there."""
    assert scripts.are_several(languages) is several


@pytest.mark.parametrize(
    ("script", "left"),
    [
        ("Latin", ("eng", "deu")),
        ("Fraktur", ("eng", "deu")),
        ("Arabic", ("ara",)),
        ("Korean", ("eng", "ara", "deu")),  # none of ours: nothing is left out
    ],
)
def test_the_languages_of_a_script_are_left_in_their_order(script, left):
    """Those that fit stay, the main one first; a script of nobody leaves all."""
    assert scripts.chosen(("eng", "ara", "deu"), script) == left
