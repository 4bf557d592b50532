"""`watcherd explain`: every reason for which a file is where it is."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from premises import Premises

from watcherd import claiming, files, lease
from watcherd.ledger import Waiting
from watcherd.lifecycle import State
from watcherd.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator

TWO = """
[[inbox]]
name = "fax"
path = "fax"
outbox = "outbox"
"""
SETTLED = b"%PDF-1.7\n%%EOF\n"


@pytest.fixture
def premises(tmp_path) -> Iterator[Premises]:
    with Premises(tmp_path) as premises:
        yield premises


def explained(premises: Premises, *words: object) -> dict[str, object]:
    """Return the only answer."""
    said = premises.run("explain", "--json", *words)
    assert (said.code, said.err) == (0, "")
    (answer,) = said.json
    assert answer.keys() >= {"path", "inbox", "source", "code", "job", "says"}
    return answer


def wait(premises: Premises, name: bytes, why: str = "settling", trouble: str | None = None):
    row = Waiting("scanner", name, 1, time.time() - 40, why, "it is being written")
    premises.ledger.set_waiting("scanner", [row], 1, "inotify", trouble)


IGNORED = [
    ("scan.pdf.part", "an unfinished transfer"),
    (".hidden.pdf", "hidden"),
    ("@eaDir/scan.pdf", "a folder of the storage system"),
    ("draft-1.pdf", "the inbox's pattern “draft*”"),
]


@pytest.mark.parametrize(("name", "reason"), IGNORED)
def test_ignored_names_are_told_with_the_reason(premises, name, reason):
    """A name that is left alone says by which rule, also in a folder that is."""
    premises.configure(premises.file.read_text() + 'ignore = ["draft*"]\n')
    path = premises.inbox / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    answer = explained(premises, path)
    assert answer["code"] == "ignored"
    assert reason in answer["says"][0]


def test_links_folders_and_pipes_are_never_taken(premises):
    """What is no regular file says what it is, by its own path and through a link on the way."""
    (premises.root / "elsewhere").mkdir()
    (premises.root / "elsewhere" / "a.pdf").write_bytes(SETTLED)
    (premises.inbox / "link.pdf").symlink_to(premises.root / "elsewhere" / "a.pdf")
    (premises.inbox / "sub").symlink_to(premises.root / "elsewhere")
    (premises.inbox / "folder").mkdir()
    os.mkfifo(premises.inbox / "pipe")
    codes = {
        name: explained(premises, f"inbox/{name}")["code"]
        for name in ("link.pdf", "sub/a.pdf", "folder", "pipe")
    }
    assert codes == {
        "link.pdf": "link",
        "sub/a.pdf": "link",
        "folder": "folder",
        "pipe": "not-a-file",
    }


def test_a_waiting_file_says_what_the_daemon_says(premises):
    """What the daemon waits for is in its snapshot, and is told with since when."""
    premises.beat()
    (premises.inbox / "a.pdf").write_bytes(b"x")
    wait(premises, b"a.pdf", "being-written")
    answer = explained(premises, "a.pdf")
    assert answer["code"] == "being-written"
    assert answer["says"] == ["it waits, 40 s so far: it is being written"]


def test_a_file_that_is_merely_counted_waits_for_its_turn(premises):
    """One of so many that the daemon does not name it is not said to be the next."""
    premises.beat()
    (premises.inbox / "a.pdf").write_bytes(SETTLED)
    premises.ledger.set_waiting("scanner", [], 7000, "inotify", None)
    answer = explained(premises, "a.pdf")
    assert answer["code"] == "no-place"
    assert answer["says"] == ["it is whole and waits for its turn, as one of 7000"]
    premises.ledger.set_waiting("scanner", [], 0, "inotify", None)
    assert explained(premises, "a.pdf")["code"] == "next"


def test_what_hinders_the_whole_inbox_is_told(premises):
    """A paused inbox, one in trouble, and one with enough in work hold every file up."""
    premises.configure(premises.file.read_text().replace("[[inbox]]", "ahead = 2\n[[inbox]]"))
    premises.beat()
    (premises.inbox / "a.pdf").write_bytes(b"x")
    wait(premises, b"a.pdf", trouble="less than min_free is free")
    premises.ledger.pause("scanner", paused=True)
    premises.job(b"b", State.RUNNING)
    premises.job(b"c")
    says = explained(premises, "a.pdf")["says"]
    assert "paused; `watcherd resume scanner` ends that" in says[1]
    assert "in trouble: less than min_free" in says[2]
    assert "2 jobs are in work" in says[3]


@pytest.mark.parametrize(
    ("data", "code"), [(SETTLED, "next"), (b"%PDF-1.7\n", "incomplete"), (b"", "empty")]
)
def test_without_a_daemon_it_looks_itself(premises, data, code):
    """Without a daemon the file is judged as the daemon would, and that none runs is told."""
    (premises.inbox / "a.pdf").write_bytes(data)
    answer = explained(premises, premises.inbox / "a.pdf")
    assert answer["code"] == code
    assert answer["says"][1] == "the daemon is not running; `watcherd up` starts it"


def test_a_file_that_is_open_is_being_written(premises):
    """While a program has it open for writing that is the answer."""
    path = premises.inbox / "a.pdf"
    with path.open("wb") as file:
        file.write(SETTLED)
        file.flush()
        assert explained(premises, path)["code"] == "being-written"


def test_an_original_that_is_kept_was_taken_already(premises):
    """With originals = "keep" a file that stays says that it was taken, and as which job."""
    premises.configure(premises.file.read_text() + 'originals = "keep"\n')
    path = premises.inbox / "a.pdf"
    path.write_bytes(SETTLED)
    job = premises.job(b"a.pdf", State.DONE, outputs=["/o/a.pdf"])
    spool = Spool.make(premises.root / ".watcherd")
    inbox = premises.config.inboxes[0]
    marker = claiming.kept_marker(spool, inbox, b"a.pdf", lease.fingerprint(path.lstat()))
    marker.touch()
    answer = explained(premises, path)
    assert (answer["code"], answer["job"]) == ("kept", job)
    path.write_bytes(SETTLED * 2)
    assert explained(premises, path)["code"] == "next"


@pytest.mark.parametrize(
    ("state", "changes", "words"),
    [
        (State.DONE, {"outputs": ["/o/a.pdf"], "filed": "/a/a.pdf"}, "is done: /o/a.pdf; the"),
        (State.FAILED, {"reason": "It is broken.", "code": "corrupt"}, "broken (code corrupt)"),
        (State.SKIPPED, {"reason": "the same", "code": "duplicate"}, "was skipped: the same"),
        (State.CANCELLED, {"reason": "a person", "code": "cancelled"}, "was cancelled: a person"),
        (State.RUNNING, {"current": 3, "total": 8}, "is running, 3 of 8 pages"),
        (State.QUEUED, {}, "is queued"),
        (State.READY, {}, "waits for its turn"),
        (State.READY, {"attempts": 2}, "after 2 failed attempts"),
    ],
)
def test_a_file_that_was_taken_says_what_became_of_it(premises, state, changes, words):
    """A file that has left its inbox is answered with its job."""
    job = premises.job(b"sub/a.pdf", state, **changes)
    answer = explained(premises, "sub/a.pdf")
    assert (answer["code"], answer["job"]) == (state.value, job)
    assert words in answer["says"][0]


def test_a_file_is_meant_by_path_or_by_name(premises):
    """An absolute path, one from here, and the name in the inbox mean the same file."""
    job = premises.job(b"sub/a.pdf", State.DONE)
    for text in ("sub/a.pdf", "inbox/sub/a.pdf", premises.inbox / "sub" / "a.pdf"):
        assert explained(premises, text)["job"] == job


def test_the_same_bytes_are_told(premises):
    """A file whose bytes were a job already says so, and what the policy makes of it."""
    path = premises.inbox / "again.pdf"
    path.write_bytes(SETTLED)
    job = premises.job(b"a.pdf", State.DONE, sha256=files.sha256(path))
    assert f"job {job} already; it is taken" in " ".join(explained(premises, path)["says"])
    premises.configure(premises.file.read_text() + 'duplicates = "skip"\n')
    assert f"job {job} already; it will be" in " ".join(explained(premises, path)["says"])
    elsewhere = premises.root / "copy.pdf"
    elsewhere.write_bytes(SETTLED)
    answer = explained(premises, elsewhere)
    assert answer["code"] == "elsewhere"
    assert job in answer["says"][1]


def test_outputs_and_originals_lead_back_to_their_job(premises):
    """A document, a filed original, its sidecar and the job's directory name the job."""
    filed, document = premises.failed / "a.pdf", premises.outbox / "b.pdf"
    failed = premises.job(b"a.pdf", State.FAILED, filed=str(filed), reason="no", code="x")
    done = premises.job(b"b.tif", State.DONE, outputs=[str(document)])
    sidecar = premises.failed / "a.pdf.error.json"
    files.write(sidecar, files.to_json({"job": failed}))
    answers = {
        name: explained(premises, path)
        for name, path in {
            "document": document,
            "original": filed,
            "sidecar": sidecar,
            "directory": premises.root / ".watcherd" / "work" / done / "source",
        }.items()
    }
    assert {name: a["job"] for name, a in answers.items()} == {
        "document": done,
        "original": failed,
        "sidecar": failed,
        "directory": done,
    }
    assert answers["document"]["code"] == "output"
    assert "from b.tif" in answers["document"]["says"][0]


def test_a_name_in_two_inboxes_is_explained_for_each(premises):
    """A bare name may be meant in more than one inbox; the answer says in which."""
    premises.configure(premises.file.read_text() + TWO)
    (premises.root / "fax").mkdir()
    (premises.root / "fax" / "a.pdf").write_bytes(SETTLED)
    premises.job(b"a.pdf", State.DONE)
    said = premises.run("explain", "--json", "a.pdf").json
    assert [(answer["inbox"], answer["code"]) for answer in said] == [
        ("scanner", "done"),
        ("fax", "next"),
    ]


def test_files_of_nobody(premises):
    """A file outside of every inbox, and one that does not exist, say where inboxes are."""
    (premises.root / "a.pdf").touch()
    assert explained(premises, premises.root / "a.pdf")["code"] == "elsewhere"
    answer = explained(premises, "nosuch.pdf")
    assert answer["says"][0] == "there is no such file"
    assert f"scanner ({premises.inbox})" in answer["says"][1]
    assert explained(premises, "inbox/nosuch.pdf")["code"] == "unknown"


def test_what_the_inbox_waits_for_is_said_once(premises):
    """A file that waits for its turn or a paused inbox says so, and not a second time."""
    premises.beat()
    wait(premises, b"a.pdf", "paused")
    premises.ledger.pause("scanner", paused=True)
    (premises.inbox / "a.pdf").write_bytes(SETTLED)
    answer = explained(premises, "a.pdf")
    assert answer["code"] == "paused"
    assert len(answer["says"]) == 1


def test_hostile_names_are_escaped(premises):
    """A name with terminal codes and bytes that are no text is shown escaped."""
    name = b"a\x1b[2J\xff\n.pdf"
    (premises.inbox / os.fsdecode(name)).write_bytes(SETTLED)
    said = premises.run("explain", name)
    assert said.code == 0
    assert said.out.startswith(f"{premises.inbox}/a\\x1b[2J\\xff\\n.pdf: it is whole")
    assert explained(premises, name)["source_b64"]
