"""Results appear in the outbox whole, once, and over nothing else."""

from __future__ import annotations

import os
import threading
from dataclasses import replace

import pytest
from desks import LATE, RESULTS, Desk, land, names, outcome
from kills import every_kill, fork, status

from watcherd import files, publish
from watcherd.errors import EnvironmentFault
from watcherd.jobfiles import Outcome, Output, Publication
from watcherd.publish import Outbox

SET = ["a.pdf", "a.txt"]


def box(desk: Desk) -> Outbox:
    return Outbox(desk.inbox.outbox, desk.inbox.mode)


def run(desk: Desk, job, base: bytes = b"a") -> Publication:
    return publish.publish(job, box(desk), base)


@pytest.fixture(params=["linked", "copied"])
def made(request, desks, tmp_path):
    """Give a maker of desks whose outbox is on the spool's filesystem, and one where it is not."""
    count = 0

    def make() -> Desk:
        nonlocal count
        count += 1
        apart = {"outbox": tmp_path / str(count)} if request.param == "copied" else {}
        desk = desks(**apart)
        same = desk.inbox.outbox.stat().st_dev == desk.spool.root.stat().st_dev
        assert same == (request.param == "linked")
        return desk

    return make


def test_a_set_appears_under_its_names(made):
    """All results are in the outbox afterwards, with the mode that is asked for, and no more."""
    desk = made()
    publication = run(desk, desk.built(), b"2026/a")
    assert names(desk.inbox.outbox) == ["2026/a.pdf", "2026/a.txt"]
    assert [o.result for o in publication.outputs] == ["doc.txt", "doc.pdf"]  # the PDF last
    for output in publication.outputs:
        path = publish.target(box(desk), output)
        assert path.read_bytes() == RESULTS[output.result]
        assert path.stat().st_mode & 0o777 == desk.inbox.mode


def test_publishing_again_changes_nothing(made):
    """A second run finds the set and gives the same names."""
    desk = made()
    job = desk.built()
    first = run(desk, job)
    before = {p: p.stat().st_ino for p in desk.inbox.outbox.iterdir()}
    assert run(desk, job) == first
    assert {p: p.stat().st_ino for p in desk.inbox.outbox.iterdir()} == before


@pytest.mark.parametrize("held", SET)
def test_a_held_name_moves_the_whole_set(made, held):
    """A file that somebody else put there stays as it is, and the set goes elsewhere."""
    desk = made()
    (desk.inbox.outbox / held).write_bytes(b"foreign")
    run(desk, desk.built())
    assert names(desk.inbox.outbox) == sorted([held, "a-2.pdf", "a-2.txt"])
    assert (desk.inbox.outbox / held).read_bytes() == b"foreign"


@pytest.mark.parametrize("held", SET)
def test_a_name_that_is_taken_late_moves_the_whole_set(made, held):
    """What appears between the record and the placing is foreign as well; nothing is left of it."""
    desk = made()
    job = desk.built()
    rows = [("doc.txt", b"a.txt"), ("doc.pdf", b"a.pdf")]
    outputs = tuple(Output(r, t, files.sha256(job.built / r)) for r, t in rows)
    job.intend(Publication(1, outputs))
    (desk.inbox.outbox / held).write_bytes(b"foreign")
    assert run(desk, job).n == 2
    assert names(desk.inbox.outbox) == sorted([held, "a-2.pdf", "a-2.txt"])
    assert (desk.inbox.outbox / held).read_bytes() == b"foreign"


@pytest.mark.parametrize("kind", ["link", "dangling", "folder"])
def test_whatever_holds_a_name_is_foreign(made, kind):
    """Neither a link, dangling or not, nor a folder of that name is followed or replaced."""
    desk = made()
    job = desk.built()
    goal, victim = desk.inbox.outbox / "a.pdf", desk.root / "victim"
    victim.write_bytes(b"untouched")
    if kind == "folder":
        goal.mkdir()
    else:
        goal.symlink_to(victim if kind == "link" else desk.root / "nothing")
    run(desk, job)
    assert (desk.inbox.outbox / "a-2.pdf").read_bytes() == RESULTS["doc.pdf"]
    assert victim.read_bytes() == b"untouched"
    assert goal.is_dir() if kind == "folder" else goal.is_symlink()


def test_equal_bytes_of_another_job_are_foreign(made):
    """Two documents with the same name and bytes give two sets, never one shared."""
    desk = made()
    run(desk, desk.built())
    run(desk, desk.built())
    assert names(desk.inbox.outbox) == ["a-2.pdf", "a-2.txt", *SET]


def test_a_killed_publisher_ends_at_the_same_names(made):
    """Killed before any of its steps, publishing again completes the very set that was recorded."""

    def prepare():
        desk = made()
        job = desk.built()
        return (desk, job), lambda: run(desk, job)

    for step, (desk, job) in every_kill(prepare):
        for path in desk.inbox.outbox.rglob("[!.]*"):  # never half a file under a final name
            assert path.read_bytes() == RESULTS["doc" + path.suffix], step
        assert run(desk, job).n == 1, step
        job.begin_try("pdf")  # as the killed one had done
        publish.withdraw(job, box(desk), but=(b"a.pdf", b"a.txt"))
        assert names(desk.inbox.outbox) == SET, step


def test_rival_publishers_make_one_set(made):
    """Workers that publish the same job at the same time agree on the names, and none is twice."""
    for _ in range(8):
        desk = made()
        job = desk.built()
        start = threading.Barrier(4)
        results: list[Publication] = []

        def work(desk=desk, job=job, start=start, results=results):
            start.wait()
            results.append(run(desk, job))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(results) == 4
        assert len(set(results)) == 1
        assert names(desk.inbox.outbox) == SET


def test_rival_processes_make_one_set(made):
    """The same holds for workers that are processes of their own."""
    desk = made()
    job = desk.built()
    rivals = [fork(lambda: run(desk, job)) for _ in range(3)]
    assert [status(pid) for pid in rivals] == [0, 0, 0]
    assert names(desk.inbox.outbox) == SET


@pytest.mark.parametrize("kind", ["done", "cancelled"])
def test_nothing_is_placed_after_the_outcome(made, kind):
    """A late worker does not bring back what the reader of the outbox has taken away."""
    desk = made()
    job = desk.built()
    run(desk, job)
    job.conclude(outcome(kind))
    for path in desk.inbox.outbox.iterdir():
        path.unlink()
    run(desk, job)
    assert names(desk.inbox.outbox) == []


def test_an_outcome_protects_what_counts(made):
    """A late worker that meets a foreign file does not take back the set of a finished job."""
    desk = made()
    job = desk.built()
    publication = run(desk, job)
    job.conclude(Outcome("done", LATE, tuple(o.target for o in publication.outputs)))
    pdf = desk.inbox.outbox / "a.pdf"
    pdf.unlink()
    pdf.write_bytes(b"foreign")
    run(desk, job)
    assert (desk.inbox.outbox / "a.txt").read_bytes() == RESULTS["doc.txt"]
    assert pdf.read_bytes() == b"foreign"


def test_a_rival_that_finishes_meanwhile_keeps_its_set(made, monkeypatch):
    """A worker that meets a foreign file just when its rival concludes takes nothing of it back."""
    desk = made()
    job = desk.built()
    publication = run(desk, job)
    pdf, real = desk.inbox.outbox / "a.pdf", publish._place_one

    def late(at, outbox, output):
        if output.result == "doc.pdf" and at.outcome() is None:
            pdf.unlink()
            pdf.write_bytes(b"foreign")
            at.conclude(Outcome("done", LATE, tuple(o.target for o in publication.outputs)))
        return real(at, outbox, output)

    monkeypatch.setattr(publish, "_place_one", late)
    run(desk, job)
    assert (desk.inbox.outbox / "a.txt").read_bytes() == RESULTS["doc.txt"]


def test_withdrawing_takes_back_what_does_not_count(made):
    """After a cancel the outbox is as it was; targets that count, and foreign files, stay."""
    desk = made()
    job = desk.built()
    run(desk, job)
    (desk.inbox.outbox / "b.pdf").write_bytes(b"foreign")
    publish.withdraw(job, box(desk), but=(b"a.txt",))
    assert names(desk.inbox.outbox) == ["a.txt", "b.pdf"]
    publish.withdraw(job, box(desk))
    assert names(desk.inbox.outbox) == ["b.pdf"]


def test_withdrawing_leaves_the_equal_text_of_another_document(made):
    """Of two documents with equal texts, one that never came to its names takes nothing away."""
    desk = made()
    late, first = desk.built(), desk.built()
    run_late = Publication(1, run(desk, first).outputs)
    (late.built / "doc.pdf").write_bytes(b"%PDF of the late one")
    mine = tuple(replace(o, sha256=files.sha256(late.built / o.result)) for o in run_late.outputs)
    late.intend(Publication(1, mine))  # and then it was killed
    publish.withdraw(late, box(desk))
    assert names(desk.inbox.outbox) == SET
    run(desk, late)
    assert names(desk.inbox.outbox) == ["a-2.pdf", "a-2.txt", *SET]


def test_a_record_of_other_results_is_passed_by(made):
    """After its results were made anew, or by a record that is not sound, publishing goes on."""
    desk = made()
    job = desk.built()
    run(desk, job)
    (job.path / "publish.2.json").write_text('{"schema": 1, "n": 2, "outputs": []}')
    files.remove_tree(job.built)
    land(job, {"doc.pdf": b"%PDF made anew"})
    assert run(desk, job).n == 3
    assert b"%PDF made anew" in {p.read_bytes() for p in desk.inbox.outbox.glob("*.pdf")}


def test_a_missing_outbox_is_a_fault_of_the_machine(made):
    """An outbox that is not mounted is not made anew beneath the mount point."""
    desk = made()
    job = desk.built()
    desk.inbox.outbox.rmdir()
    with pytest.raises(EnvironmentFault):
        run(desk, job)
    assert not desk.inbox.outbox.exists()


def test_a_setgid_outbox_gives_its_group(desk):
    """What is linked from the spool belongs to the group of a setgid outbox."""
    os.chown(desk.inbox.outbox, -1, 12345)
    desk.inbox.outbox.chmod(0o2770)
    run(desk, desk.built())
    assert {p.stat().st_gid for p in desk.inbox.outbox.iterdir()} == {12345}


@pytest.mark.parametrize("hostile", ["folder", "result", "fifo"])
def test_results_that_are_not_files_of_ours_are_not_published(desk, hostile):
    """Links and devices among the results are neither followed, changed, nor waited for."""
    job = desk.built()
    secret = desk.root / "secret"
    secret.mkdir()
    (secret / "doc.pdf").write_bytes(b"secret")
    (secret / "doc.pdf").chmod(0o600)
    if hostile == "folder":
        files.remove_tree(job.built)
        job.built.symlink_to(secret)
    else:
        (job.built / "doc.pdf").unlink()
        if hostile == "result":
            (job.built / "doc.pdf").symlink_to(secret / "doc.pdf")
        else:
            os.mkfifo(job.built / "doc.pdf")
    with pytest.raises(OSError, match=r"regular|symbolic|directory of results"):
        run(desk, job)
    assert names(desk.inbox.outbox) == []
    assert (secret / "doc.pdf").stat().st_mode & 0o777 == 0o600
