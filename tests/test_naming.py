"""Names are bytes: shown escaped, kept exact, shortened to fit, never leading out."""

from __future__ import annotations

import base64
import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcherd import naming
from watcherd.naming import NAME_MAX, Form, NameFacts

component = st.binary(min_size=1, max_size=NAME_MAX).filter(
    lambda b: b"/" not in b and b"\0" not in b and b not in (b".", b"..")
)
relative = st.lists(component, min_size=1, max_size=4).map(b"/".join)
devices = st.sampled_from(["CON", "nul", "Aux", "PRN", "com1", "LPT³", "conin$"])
characters = st.sampled_from(". <é≮\u0301\ufb01😀") | st.characters(exclude_characters="/\0")
awkward = st.lists(devices | characters, min_size=1, max_size=90).map("".join)
anything = component | awkward.map(lambda text: text.encode("utf-8", "replace")[:300])
mapping = st.sampled_from([Form.COMMON, Form.PLAIN])
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


@pytest.mark.parametrize(
    ("name", "common", "plain"),
    [
        (b"a.pdf", "a.pdf", "a.pdf"),
        (b"in/tray/a b.pdf", "in/tray/a b.pdf", "in/tray/a_b.pdf"),
        ("Übersicht: März?".encode(), "Übersicht_ März_", "Ubersicht__Marz_"),
        (b"two\nlines", "two_lines", "two_lines"),
        (b"L\xfcbeck", "L_beck", "L_beck"),
        (b"\xed\xa0\x80", "___", "___"),  # half a surrogate pair is no UTF-8
        (b"end. .", "end___", "end___"),
        (b"...", "___", "___"),
        (b"con", "con_", "con_"),
        (b"NUL.tar.gz", "NUL_.tar.gz", "NUL_.tar.gz"),
        ("COM² .x".encode(), "COM² _.x", "COM___.x"),
        (b"console", "console", "console"),
        ("≮".encode(), "≮", "_"),  # decomposed it begins with a character that is forbidden
        ("\u0301".encode(), "\u0301", "_"),
        ("con\u0301".encode(), "con\u0301", "con_"),
        ("日本.pdf".encode(), "日本.pdf", "__.pdf"),
    ],
)
def test_a_name_is_mapped(name, common, plain):
    """What a filesystem may forbid becomes `_`, and a person still recognises the rest."""
    assert naming.mapped(name, Form.EXACT) == name
    assert naming.mapped(name, Form.COMMON).decode() == common
    assert naming.mapped(name, Form.PLAIN).decode() == plain


@given(st.lists(anything, min_size=1, max_size=4), mapping)
def test_a_mapped_path_is_a_path(parts, form):
    """Whatever the bytes, no component is lost, empty, too long, or leads elsewhere."""
    found = naming.mapped(b"/".join(parts), form).split(b"/")
    assert len(found) == len(parts)
    assert all(part not in (b"", b".", b"..") and len(part) <= NAME_MAX for part in found)


@given(anything)
def test_a_common_name_is_one_for_windows(name):
    """It is UTF-8 without what Windows forbids, and fits where UTF-16 units are counted."""
    found = naming.mapped(name, Form.COMMON).decode()
    assert not set(found) & {*'<>:"\\|?*', *map(chr, range(32))}
    assert not found.endswith((".", " "))
    device = found.partition(".")[0].rstrip(" ").upper()
    assert device not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT³", "CONIN$"}
    assert len(found.encode("utf-16-le")) // 2 <= 255


@given(anything)
def test_a_plain_name_is_portable(name):
    """Nothing but POSIX's portable file name characters is left."""
    assert re.fullmatch(rb"[A-Za-z0-9._-]+", naming.mapped(name, Form.PLAIN))


@given(anything, mapping)
def test_each_form_holds_those_before_it(name, form):
    """What is in a form stays as it is, and one form leads to the next as the name itself does."""
    found = naming.mapped(name, form)
    assert naming.mapped(found, form) == found
    assert naming.mapped(found, Form.PLAIN) == naming.mapped(name, Form.PLAIN)
    assert naming.form_of(found) >= form


@given(anything, mapping, st.integers(1, 10**9), st.sampled_from([b".pdf", b".error.json"]))
def test_a_number_and_an_extension_keep_the_form(name, form, n, ext):
    """What is made of a mapped name is taken where the name is."""
    found = naming.mapped(name, form)
    assert naming.form_of(naming.numbered(found, ext, n)) >= form
    stem, own = naming.split(found)
    assert naming.form_of(naming.numbered(stem, own, n)) >= form
    assert naming.form_of(naming.numbered(found, b"", n)) >= form  # a folder
