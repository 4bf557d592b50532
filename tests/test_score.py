"""The scores, expectations and verdicts of `make accuracy`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from needs import needs

from benchmarks import corpus, expectation, report, score
from benchmarks.expectation import Ended, Expectation, unmet
from benchmarks.report import Drawn, Row
from benchmarks.score import Marks, Place

PAGED = 'TEXT page n: "Page n."; text of 2-2 not doubled; 2 pages out'


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("a\r\n b\f\tc ", "a b c"),
        ("\u201cNeed\u201d \u2013 \u2018most\u2019 Dad\u00b4s", "\"Need\" - 'most' Dad's"),
        ("u\u0308ber", "über"),
        ("soft\u00adly", "softly"),
        ("Kündigungsbe-\n stätigung", "Kündigungsbestätigung"),
        ("Kündigungsbe\ufffestätigung", "Kündigungsbestätigung"),
        ("Kündigungsbe\x02\r\nstätigung", "Kündigungsbestätigung"),
        ("well-known - but\n- new", "well-known - but - new"),
    ],
)
def test_spelling_of_marks_and_lines_is_no_difference(text, normal):
    """Quotes, dashes, blanks, accents and hyphens at a line's end come in one spelling."""
    assert score.normalised(text) == normal


def test_capital_letters_count_unless_folded():
    """Only where it is asked for do capital and small letters become the same."""
    assert score.normalised("Straße") == "Straße"
    assert score.normalised("Straße", fold=True) == "strasse"
    assert score.marks("TOTAL", "total").char == 0
    assert score.marks("TOTAL", "total", fold=True).char == 1


@pytest.mark.parametrize(
    ("truth", "read", "accuracy"),
    [
        ("abcd", "abcd", 1),
        ("abcd", "abxd", 0.75),
        ("abcd", "abd", 0.75),
        ("abcd", "abxcd", 0.75),
        ("abcd", "", 0),
        ("ab", "vwxyz", 0),
        ("", "", 1),
        ("", "x", 0),
    ],
)
def test_each_wrong_letter_costs_its_share_of_the_truth(truth, read, accuracy):
    """A letter changed, lost or added costs one part of the truth's length; 0 is the least."""
    assert score.char_accuracy(truth, read) == accuracy


@pytest.mark.parametrize(
    ("truth", "read", "recall"),
    [
        ("one two three", "three ONE, (two)", 1),
        ("two two", "two", 0.5),
        ("two", "two two two", 1),
        ("one two", "onetwo", 0),
        ("09/01/2019", "09 01 2019", 1),
        ("", "noise", 1),
    ],
)
def test_recall_counts_words_in_any_order(truth, read, recall):
    """Each of the truth's words counts as often as it stands there, wherever it was read."""
    assert score.word_recall(truth, read) == recall


@given(st.lists(st.text(alphabet="abcäß서é", min_size=1), min_size=1).flatmap(
    lambda words: st.tuples(st.just(words), st.permutations(words))
))  # fmt: skip
def test_order_matters_to_letters_alone(pair):
    """A text scores 1 against itself; shuffled, its words are still all there."""
    words, shuffled = (" ".join(words) for words in pair)
    assert score.marks(words, words) == Marks(1.0, 1.0)
    assert score.marks(words, shuffled).recall == 1


@pytest.mark.parametrize(
    ("box", "part"),
    [((0, 0, 10, 10), 1), ((5, 0, 15, 10), 0.5), ((5, 5, 6, 6), 0.01), ((10, 0, 20, 10), 0)],
)
def test_covered_is_a_part_of_the_first_box(box, part):
    """What another box covers is a part of the first one; touching is no covering."""
    assert score.covered((0, 0, 10, 10), box) == part
    assert score.covered((5, 5, 5, 5), box) == 0


A, B, C = (0, 0, 10, 10), (100, 0, 110, 10), (200, 0, 210, 10)
HIT, MISS = (1.0, 1.0, True), (0.0, 0.0, False)


@pytest.mark.parametrize(
    ("layer", "places"),
    [
        ([("x", C), ("y", B), ("x", A)], [HIT, HIT, HIT]),
        ([("x", A), ("y", B)], [HIT, HIT, MISS]),
        ([("x", C), ("y", B)], [MISS, HIT, HIT]),
        ([("x", (0, 0, 10, 20)), ("y", C), ("z", C)], [(1.0, 0.5, True), (0.0, 0.0, True), MISS]),
        ([("x", A), ("x", B), ("x", C)], [HIT, MISS, HIT]),
        ([], [MISS, MISS, MISS]),
    ],
)
def test_equal_words_are_paired_with_the_nearest(layer, places):
    """A word that stands twice and was read once is missing once, and lies beside its ink never."""
    found = score.placed([("x", A), ("y", B), ("x", C)], layer)
    assert [(place.ink, place.text, place.found) for place in found] == places


@pytest.mark.parametrize(
    ("entry", "means"),
    [
        ("TEXT: a b || c: d", Expectation("TEXT", 2, anywhere=("a b", "c: d"))),
        ('TEXT p1 "a" || p2 "b: c"', Expectation("TEXT", 2, paged=((1, "a"), (2, "b: c")))),
        (
            'TEXT on each of 2 pages: "a" (turned)',
            Expectation("TEXT", 2, paged=((1, "a"), (2, "a"))),
        ),
        (
            PAGED,
            Expectation("TEXT", 2, paged=((1, "Page 1."), (2, "Page 2.")), once=frozenset({2})),
        ),
        ('PASS: kept; contains "a" || "b"', Expectation("PASS", 2, anywhere=("a", "b"))),
        ("REJECT: names the password", Expectation("REJECT", 2, names_password=True)),
        ("REJECT or wait: never published", Expectation("REJECT", 2, may_wait=True)),
        ("OK-EMPTY: no text", Expectation("OK-EMPTY", 2)),
        ("NO THRESHOLD: a clean end", Expectation("NO THRESHOLD", 2)),
    ],
)
def test_the_grammar_of_the_manifest_is_read(entry, means):
    """Each form of an expectation says what to look for, and where."""
    assert expectation.parse(entry, 2) == means


@pytest.mark.parametrize("entry", ["TEXTS: a", "TEXT", "TEXT somewhere: a", "", "HOPE: a"])
def test_an_unknown_expectation_is_an_error(entry):
    """An entry that is not understood stops everything: it would count as met."""
    with pytest.raises(ValueError, match="no "):
        expectation.parse(entry, 1)


def test_the_corpus_is_understood():
    """Every entry of the manifest is read, and each text that is asked for has words to find."""
    needs("corpus")
    scans = corpus.scans()
    assert scans
    for scan in scans:
        assert scan.path.is_file()
        if scan.expected.kind in {"TEXT", "PASS"}:
            assert scan.expected.anywhere or scan.expected.paged


def _both(*pages: str, **more: object) -> Ended:
    return Ended("done", pdf=pages, txt=pages, **more)


REFUSED = Ended("failed", "corrupt", "the file is damaged")


@pytest.mark.parametrize(
    ("entry", "ended"),
    [
        ("TEXT: Quick Fox || 'it'", _both("the QUICK\nfox", "\u2018it\u2019")),
        (PAGED, _both("Page 1. Page 1.", "Page 2.")),
        ('PASS: "a"', _both("a", "b", before=("a", "b"))),
        ("OK-EMPTY: no text", _both("", ". -")),
        ("REJECT: clear error", REFUSED),
        ("REJECT: password", Ended("failed", "encrypted", "it needs a Password")),
        ("REJECT or wait: never", Ended("waiting")),
        ('EITHER: "a" or refused', REFUSED),
        ('EITHER: "a" or refused', _both("a", "b")),
        ("BOUNDED: an end", REFUSED),
        ("BOUNDED: an end", _both("", "")),
    ],
)
def test_what_came_about_is_no_problem(entry, ended):
    """An end as it was expected has no problems."""
    assert unmet(expectation.parse(entry, 2), ended) == ()


@pytest.mark.parametrize(
    ("entry", "ended", "says"),
    [
        ("TEXT: a", Ended("failed", "crashed", "it died"), "it is failed (crashed: it died)"),
        ("TEXT: a", _both("a"), "1 pages in the PDF, not 2"),
        ("TEXT: a || z", _both("a", "b"), "no 'z' in the PDF"),
        ("TEXT: a", Ended("done", pdf=("a", ""), txt=("b", "")), "no 'a' in the txt"),
        (PAGED, _both("Page 2.", "Page 1."), "no 'Page 1.' on page 1 in the PDF"),
        (PAGED, _both("Page 1.", "Page 2. Page 2."), "'Page 2.' 2 times on page 2 in the PDF"),
        ('PASS: "a"', _both("a", "b b", before=("a", "b")), "the text layer is not the original's"),
        ("OK-EMPTY: no text", _both("", "x" * 20), "20 letters of text"),
        ("REJECT: clear error", _both("a", "b"), "it was published"),
        ("REJECT: clear error", Ended("waiting"), "it is waiting, not refused"),
        ("REJECT: clear error", Ended("failed"), "no code or no reason"),
        ("REJECT: password", REFUSED, "does not speak of the password"),
        ("EITHER: text or refused", _both("", ""), "no text at all"),
        ('EITHER: "a" or refused', _both("b", "c"), "no 'a' in the PDF"),
        ("BOUNDED: an end", Ended("running"), "it is running"),
        ("NO THRESHOLD: an end", Ended("failed"), "no code or no reason"),
        ("REJECT: error", Ended("failed", "corrupt", "damaged", kept=False), "the original is not"),
    ],
)
def test_what_did_not_come_about_is_said(entry, ended, says):
    """Each way to miss an expectation is named."""
    assert says in "; ".join(unmet(expectation.parse(entry, 2), ended))


def _row(pdf: float, txt: float, *theirs: float | None) -> Row:
    peers = dict(zip(("one", "other"), theirs, strict=False))
    marks = {name: None if m is None else Marks(m, 1) for name, m in peers.items()}
    return Row("a.png", "TEXT", marks={"pdf": Marks(pdf, 1), "txt": Marks(txt, 1), **marks})


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (_row(0.12, 0.12, 0.13, 0.1), []),  # to a machine 0.13 - 0.01 is more than 0.12
        (_row(0.9, 0.92, 0.5, 0.92), ["char 0.9000 in the pdf, other 0.9200"]),
        (_row(0.9, 0.88, 0.9, None), ["char 0.8800 in the txt, one 0.9000"]),
        (_row(0.1, 0.1, None, None), []),
        (Row("a.png", "REJECT"), []),
    ],
)
def test_a_file_is_weak_more_than_a_point_below_the_better_peer(row, says):
    """Each output is held against the best peer that read the file; a point is forgiven."""
    assert report.weak(row, ("one", "other")) == says


def test_means_are_compared_over_the_files_that_the_peer_reads():
    """What a peer refuses counts neither for it nor against us."""
    rows = [_row(0.9, 0.9, 0.8, 0.95), _row(0.2, 0.2, 0.1, None)]
    one, _, other, _ = report.means(rows, ("one", "other"))
    assert (one.files, one.behind) == (2, False)
    assert (other.files, other.behind) == (1, True)


def test_a_mean_stands_only_under_a_whole_column():
    """A peer that refuses files has no mean beside ours, but one over what all of them read."""
    rows = [_row(0.9, 0.9, 0.8, 0.95), _row(0.3, 0.3, 0.1, None)]
    *_, every, common = report.table(rows, ("pdf", "txt", "one", "other"))
    assert every.partition("|")[0].split()[-4:] == ["0.6000", "0.6000", "0.4500", "-"]
    assert common.partition("|")[0].split()[-4:] == ["0.9000", "0.9000", "0.8000", "0.9500"]


@pytest.mark.parametrize(
    ("rows", "places", "good"),
    [
        ([_row(0.9, 0.9, 0.9)], [Place("a", 0.9, 0.5, found=True)], True),
        ([_row(0.9, 0.8, 0.9)], [], False),
        ([Row("a.png", "REJECT", ("it was published",))], [], False),
        ([], [Place("a", 0.0, 0.0, found=True)], False),
        ([], [Place("a", 0.0, 0.0, found=False)], True),
    ],
)
def test_the_verdict(rows, places, good):
    """A mean behind, a broken expectation, or a word off its ink spoils it; a misread does not."""
    lines, verdict = report.verdict(rows, [Drawn("d.png", {"pdf": places})], ("one",))
    assert verdict is good
    assert bool(lines) is (bool(rows) or not good)


def test_a_drawn_page_is_weak_where_its_text_is_out_of_order():
    """A page whose words all lie on their ink, but are copied in another order, is named."""
    good, bad = Marks(1.0, 1.0), Marks(0.3, 1.0)
    page = Drawn("d.png", {"pdf": []}, {"pdf": bad, "txt": good, "one": good})
    lines, verdict = report.verdict([], [page], ("one",))
    assert (lines, verdict) == (["weak: d.png: char 0.3000 in the pdf, one 1.0000"], True)
