"""The configuration file as a whole: what is found, what is refused, and all of it at once."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcherd import config
from watcherd.config_keys import SECTIONS
from watcherd.errors import ConfigError, NotOurs

GOOD = """
[watcherd]
state_dir = "state"
[ocr]
languages = ["deu"]
engine = "pytesseract"
[limits]
page_megapixels = 2
[[inbox]]
name = "a"
path = "scans/in"
outbox = "/srv/out"
notify = ["office"]
[[inbox]]
name = "b"
path = "/srv/b/in"
outbox = "/srv/b/out"
archive = "/srv/b/old"
languages = ["fra", "eng"]
[notify.office]
command = ["true"]
on = ["failure"]
"""


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "watcherd.toml"


def problems(file: Path, text: str) -> list[str]:
    """Return the problems of a text, without the file's name."""
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        config.load(file)
    start = f"{file}: "
    assert all(problem.startswith(start) for problem in caught.value.problems)
    return [problem.removeprefix(start) for problem in caught.value.problems]


def inbox(name: str, path: str, outbox: str, **more: str) -> str:
    rows = [
        f'{k} = "{v}"' for k, v in {"name": name, "path": path, "outbox": outbox, **more}.items()
    ]
    return "\n".join(["[[inbox]]", *rows, ""])


def test_paths_are_made_absolute_by_the_files_folder(file):
    """Relative paths count from the file; archive and failed lie beside the inbox by default."""
    file.write_text(GOOD)
    found = config.load(file)
    a, b = found.inboxes
    assert found.state_dir == file.parent / "state"
    assert (a.path, a.outbox) == (file.parent / "scans/in", Path("/srv/out"))
    assert (a.archive, a.failed) == (file.parent / "scans/archive", file.parent / "scans/failed")
    assert (b.archive, b.failed) == (Path("/srv/b/old"), Path("/srv/b/failed"))


def test_ocr_holds_for_inboxes_that_say_nothing(file):
    """[ocr] is the default of every inbox; an inbox may say otherwise."""
    file.write_text(GOOD)
    a, b = config.load(file).inboxes
    assert (a.languages, a.engine) == (("deu",), "pytesseract")
    assert (b.languages, b.engine) == (("fra", "eng"), "pytesseract")


def test_limits_and_targets_reach_a_claim(file):
    """What a claim records holds the limits; a target hears only of what it asks for."""
    file.write_text(GOOD)
    found = config.load(file)
    a = found.inbox("a")
    assert found.options(a).limits.page_pixels == 2_000_000
    assert found.targets_of(a, "failure") == ("office",)
    assert found.targets_of(a, "success") == ()


def test_an_unknown_inbox_is_answered_with_the_known(file):
    """Asking for an inbox that is not there names those that are."""
    file.write_text(GOOD)
    with pytest.raises(NotOurs, match="a, b"):
        config.load(file).inbox("c")


def test_all_problems_are_said_at_once(file):
    """Mistakes all over the file come as one error, each with its place."""
    found = problems(
        file,
        """
        [watcherd]
        brokr = "x"
        ahead = 0
        [lmits]
        [[inbox]]
        name = "a"
        path = "in"
        formats = ["pdv"]
        [[inbox]]
        name = "b b"
        path = "in2"
        outbox = "out"
        [notify.office]
        urls = "x"
        """,
    )
    assert [problem.partition(": ")[0] for problem in found] == [
        "lmits",
        "watcherd.brokr",
        "watcherd.ahead",
        "inbox[0].outbox",
        "inbox[0].formats",
        "inbox[1].name",
        "notify.office.urls",
    ]
    assert "did you mean 'limits'?" in found[0]
    assert "did you mean 'broker'?" in found[1]
    assert "did you mean 'pdf'?" in found[4]


RULES = [
    (inbox("a", "/s/in", "/s/out") * 2, "inbox[1].name: 'a' is taken by inbox[0]"),
    (inbox("a", "/s", "/o") + inbox("b", "/s/b", "/o"), "inbox[1].path: /s/b and inbox[0].path /s"),
    (inbox("a", "/s/b", "/o") + inbox("b", "/s", "/o"), "inbox[1].path: /s and inbox[0].path /s/b"),
    (inbox("a", "/s/in", "/s/in/out"), "inbox[0].outbox: /s/in/out lies inside inbox[0].path"),
    (inbox("a", "/s/in", "/s/in"), "inbox[0].outbox: /s/in lies inside inbox[0].path"),
    (inbox("a", "/i", "/o", archive="/i/x"), "inbox[0].archive: /i/x lies inside inbox[0].path"),
    (inbox("a", "/i", "/o", failed="/i/x"), "inbox[0].failed: /i/x lies inside inbox[0].path"),
    (inbox("a", "/i", "/o", spool="/i/x"), "inbox[0].spool: /i/x lies inside inbox[0].path"),
    (inbox("a", "/s/in", "/s"), "inbox[0].path: /s/in lies inside its own outbox /s"),
    (
        inbox("a", "/a/in", "/b/in/x") + inbox("b", "/b/in", "/b/out"),
        "inbox[0].outbox: /b/in/x lies inside inbox[1].path",
    ),
    (
        '[watcherd]\nstate_dir = "/s/in/state"\n' + inbox("a", "/s/in", "/s/out"),
        "watcherd.state_dir: lies inside inbox[0].path",
    ),
    (
        inbox("a", "/s/in", "/s/out") + 'notify = ["office"]\n',
        "inbox[0].notify: no [notify.office] in this file",
    ),
    (
        inbox("a", "/s/in", "/s/out") + '[notify.office]\non = ["failure"]\n',
        "notify.office: needs urls or a command",
    ),
    (inbox("a", "/i", "/o", archive="/o"), "inbox[0].outbox: /o is its archive as well"),
    (inbox("a", "/i", "/o", failed="/o/"), "inbox[0].outbox: /o is its failed as well"),
    (inbox("a", "/s/in", "/s/archive"), "inbox[0].outbox: /s/archive is its archive as well"),
    ("[watcherd]\n", "inbox: at least one [[inbox]] is needed"),
    ("notify = 3\n" + inbox("a", "/i", "/o"), "notify: must hold tables"),
    ("watcherd = 3\n" + inbox("a", "/i", "/o"), "watcherd: must be a table"),
]


@pytest.mark.parametrize(("text", "words"), RULES)
def test_keys_that_disagree_are_refused(file, text, words):
    """Folders that feed back or overlap, names twice or nowhere: refused, with the place."""
    assert any(problem.startswith(words) for problem in problems(file, text))


def test_archive_and_failed_may_be_one_folder(file):
    """Originals may all go to one place, and to another inbox's."""
    file.write_text(
        inbox("a", "/a/in", "/a/out", archive="/old", failed="/old")
        + inbox("b", "/b/in", "/b/out", archive="/old")
    )
    assert config.load(file).inboxes[0].archive == Path("/old")


def test_an_unknown_target_is_said_beside_other_mistakes(file):
    """A name in `notify` that no table bears is told at once, whatever else is wrong."""
    text = inbox("a", "/a/in", "/a/out", formatss="pdf") + 'notify = ["office"]\n'
    found = [problem.partition(": ")[0] for problem in problems(file, text)]
    assert found == ["inbox[0].formatss", "inbox[0].notify"]


def test_feedback_is_seen_through_links(file, tmp_path):
    """An outbox that is a link into the inbox is feedback all the same."""
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "out").symlink_to(tmp_path / "in" / "sub")
    found = problems(file, inbox("a", "in", "out"))
    assert found[0].startswith("inbox[0].outbox: ")


def test_a_loop_of_links_is_no_crash(file, tmp_path):
    """Links that lead in a circle are a matter of the machine, for `check` to say."""
    (tmp_path / "in").symlink_to(tmp_path / "in2")
    (tmp_path / "in2").symlink_to(tmp_path / "in")
    file.write_text(inbox("a", "in", "out"))
    assert config.load(file).inboxes[0].path == tmp_path / "in"


def test_neighbours_with_a_common_beginning_are_no_overlap(file):
    """/srv/in and /srv/in2 are two folders."""
    file.write_text(inbox("a", "/srv/in", "/srv/in-out") + inbox("b", "/srv/in2", "/srv/out2"))
    assert len(config.load(file).inboxes) == 2


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"a = ", "not valid TOML"),
        (b"\xff", "not valid TOML"),
        (b"a = " + b"[" * 100_000, "not valid TOML"),
        (None, "No such file"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_problem(file, data, words):
    """Broken TOML, bytes that are not UTF-8, no file: one problem that says which."""
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(ConfigError, match=words) as caught:
        config.load(file)
    assert str(file) in str(caught.value)


def test_the_variable_goes_before_other_places(file, monkeypatch):
    """$WATCHERD_CONFIG names the file."""
    monkeypatch.setenv(config.VARIABLE, str(file))
    assert config.search() == file


def test_the_users_folder_is_searched(tmp_path, monkeypatch):
    """Without the variable the user's folder is looked at, and where nothing is, that is said."""
    monkeypatch.delenv(config.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(ConfigError, match="watcherd init"):
        config.search()
    (tmp_path / "watcherd").mkdir()
    (tmp_path / "watcherd" / "config.toml").write_text(GOOD)
    assert config.search() == tmp_path / "watcherd" / "config.toml"


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("auto")
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
KEYS = sorted({key for section in SECTIONS.values() for key in section})
TABLES = st.dictionaries(st.sampled_from(KEYS) | st.text(), VALUES, max_size=6)
FILES = st.dictionaries(
    st.sampled_from([*SECTIONS, "inboxx"]),
    TABLES | st.lists(TABLES, max_size=3) | st.dictionaries(st.text(), TABLES, max_size=2) | VALUES,
    max_size=6,
)


@given(FILES)
def test_no_file_raises_anything_else(table):
    """Whatever a file holds, loading gives a configuration or a `ConfigError`."""
    found: list[str] = []
    parsed = config._config(Path("/etc/x.toml"), table, found)
    if not found:
        list(config._disagreements(parsed))


@given(st.text())
def test_no_text_raises_anything_else(tmp_path_factory, text):
    """Any text is TOML that is read, or a problem that is said."""
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_text(text, "utf-8", errors="replace")
    with pytest.raises(ConfigError):  # no text that is drawn has a whole inbox
        config.load(file)


def test_the_keys_here_are_those_of_the_sections():
    """The file of this test names sections that there are."""
    assert set(tomllib.loads(GOOD)) <= set(SECTIONS)
