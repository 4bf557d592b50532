"""Names are bytes: shown escaped, kept exact, shortened to fit, never leading out."""

from __future__ import annotations

import base64
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcherd import naming
from watcherd.naming import NAME_MAX, NameFacts

component = st.binary(min_size=1, max_size=NAME_MAX).filter(
    lambda b: b"/" not in b and b"\0" not in b and b not in (b".", b"..")
)
relative = st.lists(component, min_size=1, max_size=4).map(b"/".join)
WHEN = datetime(2024, 2, 9, 13, 5).astimezone()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"scan.pdf", "scan.pdf"),
        ("Übersicht 2024.pdf".encode(), "Übersicht 2024.pdf"),
        (b"\xdcbersicht.pdf", "\\xdcbersicht.pdf"),
        (b"two\nlines\x1b[31m", "two\\nlines\\x1b[31m"),
        ("\u202eexe.fdp".encode(), "\\u202eexe.fdp"),
    ],
)
def test_a_name_is_shown_escaped(name, shown):
    """A person sees what is there: no control characters, no lost bytes."""
    assert naming.display(name) == shown


@given(component)
def test_what_is_shown_can_be_printed(name):
    """No name breaks a terminal or a log line."""
    assert naming.display(name).isprintable()


@given(component)
def test_json_keeps_the_exact_name(name):
    """A reader of the JSON can always get the bytes back."""
    told = naming.json_name(name)
    exact = base64.b64decode(told["source_b64"]) if "source_b64" in told else None
    assert (exact or told["source"].encode()) == name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        (b"a.pdf", (b"a", b".pdf")),
        (b"a.tar.gz", (b"a.tar", b".gz")),
        (b".hidden", (b".hidden", b"")),
        (b"...pdf", (b"...pdf", b"")),
        (b"a", (b"a", b"")),
        (b"No. 12345 of the year 2024", (b"No. 12345 of the year 2024", b"")),
    ],
)
def test_a_name_is_split_at_its_extension(name, parts):
    """What no extension is stays in the stem."""
    assert naming.split(name) == parts


@given(component, st.integers(1, 10**6))
def test_numbered_names_fit_and_differ(name, n):
    """Every choice fits, keeps its extension, and is none of the others."""
    stem, ext = naming.split(name)
    choices = [naming.numbered(stem, ext, i) for i in (1, n, n + 1, n + 2)]
    assert all(len(c) <= NAME_MAX and c.endswith(ext) for c in choices)
    assert len(set(choices[1:])) == 3
    assert choices[0] == name


@given(st.text(min_size=1, max_size=300), st.sampled_from([b".pdf", b".error.json"]))
def test_fitting_cuts_between_characters(text, suffix):
    """A shortened name is still valid UTF-8, and as long as it can be."""
    stem = text.encode("utf-8", "replace")
    found = naming.fitted(stem, suffix)
    assert found.endswith(suffix)
    assert len(found) <= NAME_MAX
    found.decode("utf-8")
    if len(stem + suffix) <= NAME_MAX:
        assert found == stem + suffix
    else:
        assert len(found) > NAME_MAX - 4


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("{dir}/{stem}", b"in/tray/a b"),
        ("{stem}", b"a b"),
        ("{date:%Y/%m}/{stem}", b"2024/02/a b"),
        ("{date}-{inbox}-{job}", b"2024-02-09-scans-j"),
        ("{ext}/{stem}.{ext}", b"PDF/a b.PDF"),
        ("x{dir}y", b"xin/trayy"),
    ],
)
def test_a_template_names_the_output(template, path):
    """Every field is filled in, and a date takes a format."""
    assert naming.problems_of(template) is None
    facts = NameFacts(b"in/tray/a b.PDF", "scans", "j", WHEN)
    assert naming.render(template, facts) == path


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{name}", "unknown field"),
        ("{stem:%Y}", "takes a format"),
        ("{stem", "unbalanced"),
        ("{{stem}}", "unbalanced"),
        ("/abs/{stem}", "below the outbox"),
        ("../{stem}", "below the outbox"),
        ("a/../../{stem}", "below the outbox"),
        ("{dir}/", "file name"),
        ("", "file name"),
    ],
)
def test_a_wrong_template_is_explained(template, says):
    """Each mistake has its own words."""
    assert says in (naming.problems_of(template) or "")


@given(
    st.lists(st.sampled_from(["{dir}", "{stem}", "{ext}", "{date:..}", "/", "..", "."])),
    relative,
    st.sampled_from(["", "..", "../..", "a"]),
)
def test_nothing_leads_out_of_the_outbox(parts, source, inbox):
    """Whatever template and name hold, the path stays below, and each part fits."""
    path = naming.render("".join(parts) or "x", NameFacts(source, inbox, "j", WHEN))
    found = path.split(b"/")
    assert all(part not in (b"", b".", b"..") and len(part) <= NAME_MAX for part in found)


def test_an_empty_rendering_still_has_a_name():
    """A template that comes to nothing gives a document nevertheless."""
    assert naming.render("{dir}", NameFacts(b"a.pdf", "i", "j", WHEN)) == b"document"
