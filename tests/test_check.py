"""`watcherd check`: each point is tried for real, and says what to do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from needs import needs
from premises import Premises

from watcherd.cli.check import exit_code
from watcherd.cli.points import fail, ok, warn
from watcherd.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def premises(tmp_path) -> Iterator[Premises]:
    with Premises(tmp_path) as premises:
        yield premises


def failed(premises: Premises, *, code: int) -> dict[str, str]:
    """Return what FAILs, by place, as a person reads it; the command must end with `code`."""
    said = premises.run("check", "--json")
    assert said.code == code, said.out
    return {
        point["place"]: f"{point['says']}; {point['remedy']}"
        for point in said.json
        if point["level"] == "FAIL"
    }


def change(premises: Premises, *, main: str = "", inbox: str = "", more: str = "") -> None:
    """Add lines to [watcherd], to [[inbox]], and behind both."""
    text = premises.file.read_text().replace("[[inbox]]", f"{main}\n[[inbox]]")
    premises.configure(f"{text}{inbox}\n{more}\n")


def test_a_good_machine_ends_with_0(premises):
    """With all in place no point fails, and every part of the service has one."""
    needs("redis-server", "tesseract")
    said = premises.run("check")
    assert said.code == 0, said.out
    lines = said.out.splitlines()
    assert {line[:5] for line in lines} <= {"OK   ", "WARN "}
    places = {line[5:].partition(":")[0] for line in lines}
    assert places >= {
        *("configuration", "watcherd.state_dir", "watcherd.broker", "inotify", "inbox[0].engine"),
        *("inbox[0].languages", "inbox[0].path", "inbox[0].outbox", "inbox[0].archive"),
        *("inbox[0].failed", "inbox[0].watch", "inbox[0].settle", "inbox[0].spool"),
    }


def test_it_leaves_nothing_behind(premises):
    """What is tried in the folders is taken away again; nothing is made."""
    before = sorted(premises.root.rglob("*"))
    premises.run("check")
    assert sorted(premises.root.rglob("*")) == before


def test_it_warns_of_root(premises):
    """Running as root is a warning, and only then."""
    lines = [line for line in premises.run("check").out.splitlines() if " user: " in line]
    assert bool(lines) == (os.geteuid() == 0)


def test_problems_of_the_configuration_end_with_3(premises):
    """Every mistake of the file is a point of its own, with its place."""
    change(premises, main="brokr = 1", inbox='formats = ["pdv"]')
    assert failed(premises, code=3).keys() == {"watcherd.brokr", "inbox[0].formats"}
    first = premises.run("check").out.splitlines()[0]
    assert first == "FAIL watcherd.brokr: unknown key; did you mean 'broker'?"


def test_no_configuration_ends_with_3(premises):
    """A file that is not there is a point as well."""
    premises.file.unlink()
    assert "No such file" in failed(premises, code=3)["configuration"]


def test_missing_folders_fail(premises):
    """An inbox must be there; the other folders are made by the daemon where that is possible."""
    premises.inbox.rmdir()
    premises.archive.rmdir()
    change(premises, inbox='failed = "/proc/failed"')
    points = failed(premises, code=4)
    assert points.keys() == {"inbox[0].path", "inbox[0].failed"}
    assert "make it, or mount it" in points["inbox[0].path"]
    assert "cannot be made in /proc" in points["inbox[0].failed"]
    assert "archive does not exist yet; the daemon makes it" in premises.run("check").out


def test_languages_without_data_name_their_package(premises):
    """A missing language is a fault of the machine, with the package that brings it."""
    needs("tesseract")
    change(premises, inbox='languages = ["eng", "xyz", "chi_zzz"]')
    said = premises.run("check")
    assert said.code == 4
    wanted = 'FAIL inbox[0].languages: "xyz" is not installed; apt install tesseract-ocr-xyz'
    assert wanted in said.out.splitlines()
    assert "apt install tesseract-ocr-chi-zzz" in said.out


def test_a_file_of_passwords_is_read(premises):
    """One that is missing fails, one that everybody can read is a warning; none is shown."""
    file = premises.root / "passwords"
    change(premises, inbox=f'passwords = "{file}"')
    assert "make it, readable" in failed(premises, code=4)["inbox[0].passwords"]
    file.write_text("hunter2\n\nswordfish\n")
    file.chmod(0o644)
    said = premises.run("check")
    assert f"WARN inbox[0].passwords: {file} can be read by others; chmod 600" in said.out
    assert f"OK   inbox[0].passwords: {file} offers 2" in said.out
    assert "hunter2" not in said.out
    file.chmod(0o600)
    assert "WARN inbox[0].passwords" not in premises.run("check").out


def test_a_broker_that_is_away_fails(premises):
    """A broker of one's own must answer; its password is not shown."""
    change(premises, main='broker = "redis://:secret@127.0.0.1:1/0"')
    said = premises.run("check")
    assert said.code == 4
    assert "FAIL watcherd.broker: the broker cannot be reached" in said.out
    assert "secret" not in said.out


def test_a_state_dir_too_long_for_a_socket_fails(premises):
    """The embedded broker's socket has a longest path, which is said before it is met."""
    needs("redis-server")
    change(premises)
    long = premises.file.read_text().replace('"state"', f'"{"s" * 120}"')
    premises.configure(long)
    assert "too long for a unix socket" in failed(premises, code=4)["watcherd.broker"]


def test_too_little_space_fails(premises):
    """Below min_free nothing would be taken, which is said with both numbers."""
    change(premises, main='min_free = "900T"')
    assert "nothing is taken below" in failed(premises, code=4)["inbox[0].spool"]


def test_targets_are_read_and_commands_looked_for(premises):
    """Addresses that nobody understands and commands that cannot run are mistakes of the file."""
    change(
        premises,
        inbox='notify = ["office", "boss"]',
        more="""
        [notify.office]
        urls = ["json://localhost", "bogus://user:secret@host"]
        [notify.boss]
        command = ["/nonexistent/told"]
        [notify.nobody]
        command = ["true"]
        """,
    )
    assert failed(premises, code=3).keys() == {"notify.office.urls[1]", "notify.boss.command"}
    said = premises.run("check")
    assert "secret" not in said.out + said.err
    assert "OK   notify.office.urls[0]: json://… is understood" in said.out
    assert "WARN notify.nobody: no inbox tells it anything" in said.out


def test_the_choice_of_the_spool_is_told(premises):
    """Where the spool will lie, and why."""
    assert f"inbox[0].spool: {premises.root}/.watcherd: inbox, outbox and" in (
        premises.run("check").out
    )
    change(premises, inbox='spool = "elsewhere"')
    out = premises.run("check").out
    assert f"inbox[0].spool: {premises.root}/elsewhere: as configured" in out


def test_a_spool_elsewhere_is_another_filesystem_matter(premises):
    """Where inbox and outbox do not share a filesystem the spool goes below the state directory."""
    needs("a second filesystem")
    change(premises)
    text = premises.file.read_text().replace('outbox = "outbox"', 'outbox = "/dev/shm"')
    premises.configure(text)
    said = premises.run("check")
    assert f"inbox[0].spool: {premises.root}/state/spool: a file cannot be linked" in said.out


def test_jobs_in_a_spool_that_is_not_chosen_any_more(premises):
    """A change that moves the spool leaves jobs behind, which is a warning with the remedy."""
    spool = Spool.make(premises.root / ".watcherd")
    spool.new_job()
    other = premises.root / "other"
    other.mkdir()
    assert "not chosen any more" not in premises.run("check").out
    needs("a second filesystem")
    premises.configure(
        premises.file.read_text().replace('outbox = "outbox"', 'outbox = "/dev/shm"')
    )
    assert f'1 jobs are in work in {spool.root}, which is not chosen any more; set spool = "' in (
        premises.run("check").out
    )


def test_a_terminal_gets_colours(premises):
    """On a terminal the levels are coloured."""
    assert "\x1b[32mOK\x1b[0m   configuration" in premises.look("check").out


@pytest.mark.parametrize(
    ("points", "code"),
    [
        ([ok("a", "b")], 0),
        ([warn("a", "b")], 0),
        ([ok("a", "b"), fail("a", "b")], 4),
        ([fail("a", "b", configuration=True)], 3),
        ([fail("a", "b"), fail("a", "b", configuration=True)], 3),
    ],
)
def test_exit_codes(points, code):
    """Warnings are allowed; what must be changed in the file goes before what the machine lacks."""
    assert exit_code(points) == code
