"""The protections of the promise, each with its mutation and the test that notices it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Protection:
    """One protection: where it stands, how it is taken away, and the test that notices."""

    file: str
    before: str
    after: str
    test: str


_LOSS = "tests/test_power_loss.py::test_power_loss_at_every_step"

PROTECTIONS = {
    "bytes durable before the rename": Protection(
        "watcherd/files.py",
        "            file.flush()\n            os.fsync(file.fileno())\n",
        "            file.flush()\n",
        "tests/test_files.py::test_writing_is_durable_in_this_order",
    ),
    "a replaced name durable": Protection(
        "watcherd/files.py",
        "        raise\n    sync_dir(path.parent)\n\n\ndef create(",
        "        raise\n\n\ndef create(",
        "tests/test_files.py::test_writing_is_durable_in_this_order",
    ),
    "a created name durable": Protection(
        "watcherd/files.py",
        "        sync_dir(path.parent)\n    return first",
        "        pass\n    return first",
        f"{_LOSS}[done]",
    ),
    "a name is created once": Protection(
        "watcherd/files.py",
        "        rename_noreplace(temporary, path)\n        first = True",
        "        temporary.rename(path)\n        first = True",
        "tests/test_files.py::test_one_of_many_creators_is_first",
    ),
    "copies durable": Protection(
        "watcherd/files.py",
        "            out.flush()\n            os.fsync(out.fileno())\n",
        "            out.flush()\n",
        f"{_LOSS}[copied]",
    ),
    "copies compared": Protection(
        "watcherd/files.py",
        "if sha256(target) != found or",
        "if",
        "tests/test_files.py::test_a_copy_is_compared_with_its_source",
    ),
    "made folders durable": Protection(
        "watcherd/files.py",
        "        sync_dir(path.parent)  # also if it is there",
        "        pass  # also if it is there",
        f"{_LOSS}[done]",
    ),
    "no link is followed": Protection(
        "watcherd/files.py",
        "flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK",
        "flags = os.O_RDONLY | os.O_NONBLOCK",
        "tests/test_files.py::test_only_regular_files_are_opened",
    ),
    "one daemon for one spool": Protection(
        "watcherd/locks.py",
        "fcntl.LOCK_EX | fcntl.LOCK_NB",
        "fcntl.LOCK_SH | fcntl.LOCK_NB",
        "tests/test_spool.py::test_a_lock_ends_with_its_process",
    ),
    "the claim is of the file that settled": Protection(
        "watcherd/claiming.py",
        "    path = inbox_path(inbox, relative)\n    _unchanged(path, settled)\n",
        "    path = inbox_path(inbox, relative)\n",
        "tests/test_claiming.py::test_a_file_that_changed_is_not_claimed",
    ),
    "a copy is of one moment": Protection(
        "watcherd/claiming.py",
        "        _unchanged(path, settled)\n        os.utime",
        "        os.utime",
        "tests/test_claiming.py::test_a_file_that_changes_under_the_copy_is_not_claimed",
    ),
    "only what was copied is released": Protection(
        "watcherd/claiming.py",
        "    if fingerprint_of(path) == claimed.fingerprint:\n        path.unlink()",
        "    if fingerprint_of(path) is not None:\n        path.unlink()",
        "tests/test_claiming.py::test_a_changed_file_is_not_released",
    ),
    "a copied file is claimed once": Protection(
        "watcherd/intake.py",
        "        if self.taken(relative, settled.fingerprint):",
        "        if False:",
        "tests/test_environment_faults.py::test_a_copy_that_meets_a_full_disk_is_not_claimed_again",
    ),
    "jobs are adopted before any claim": Protection(
        "watcherd/lane.py",
        "        self.work.adopt(now)  # first: what is a job already must not be claimed again\n",
        "        self.work.adopt(now) if self.scanned else None\n",
        "tests/test_lane.py::test_what_is_a_job_already_is_adopted_before_any_claim",
    ),
    "a file that nobody closed is remembered": Protection(
        "watcherd/backlog.py",
        "            if not self.room and not (created and len(self.candidates) < _MOST):\n",
        "            if not self.room:\n",
        "tests/test_backlog.py::test_what_was_created_and_not_closed_is_remembered",
    ),
    "a full look trusts no folder's time": Protection(
        "watcherd/lane.py",
        "        if now < self._full_scan and self.watch",
        "        if self.watch",
        "tests/test_lane.py::test_a_full_look_trusts_no_time",
    ),
    "a kept file is claimed once": Protection(
        "watcherd/claiming.py",
        "            _mark_kept(spool, inbox, relative, settled) if keep else None\n",
        "",
        "tests/test_intake.py::test_a_kept_file_is_claimed_once",
    ),
    "the gate runs again on the claimed file": Protection(
        "watcherd/work.py",
        "if peek.writer is not settle.Writer.OPEN and peek.fingerprint == claim.fingerprint:",
        "if peek.fingerprint:",
        "tests/test_work.py::test_a_writer_that_kept_the_file_open_is_waited_for",
    ),
    "the original durable before its seal": Protection(
        "watcherd/jobdir.py",
        "        files.sync_file(self.source)\n",
        "",
        "tests/test_jobdir.py::test_the_original_is_durable_before_its_seal",
    ),
    "an attempt durable before the work": Protection(
        "watcherd/jobdir.py",
        "        try:\n            files.sync_dir(self.path)\n        except BaseException:\n",
        "        try:\n            pass\n        except BaseException:\n",
        "tests/test_jobdir.py::test_an_attempt_is_durable_before_the_work",
    ),
    "an attempt is counted before the work": Protection(
        "tasks/stage.py",
        "        sign = bench.job.begin_try(stage.key)\n",
        '        sign = bench.job.begin_try("none")\n',
        "tests/test_stage.py::test_an_attempt_is_counted_before_the_work",
    ),
    "attempts are bounded": Protection(
        "tasks/stage.py",
        "    if len(tries) < bench.config.attempts:\n",
        "    if tries is not None:\n",
        "tests/test_stage.py::test_a_document_is_given_up_at_the_limit",
    ),
    "a fault of the machine is no attempt": Protection(
        "tasks/stage.py",
        "        _forget(sign)\n        raise _faulted(line, error) from error",
        "        raise _faulted(line, error) from error",
        "tests/test_stage.py::test_a_fault_of_the_machine_is_no_attempt",
    ),
    "a plan has a place for its pages": Protection(
        "watcherd/jobdir.py",
        "        files.sync_dir(self.path)  # a plan promises the place for its pages\n",
        "",
        f"{_LOSS}[done]",
    ),
    "results durable before they land": Protection(
        "watcherd/jobdir.py",
        "        files.sync_tree(private)\n",
        "",
        f"{_LOSS}[done]",
    ),
    "the original is looked at before publishing": Protection(
        "tasks/pdf.py",
        "    if not bench.job.intact():\n",
        "    if bench.job.read_seal() is None:\n",
        "tests/test_drive.py::test_what_is_written_after_the_seal_is_read_anew",
    ),
    "names are recorded exclusively": Protection(
        "watcherd/jobdir.py",
        '        files.create(\n            self.path / f"publish.',
        '        files.write(\n            self.path / f"publish.',
        "tests/test_jobdir.py::test_sets_of_names_are_recorded_exclusively",
    ),
    "nothing is overwritten in the outbox": Protection(
        "watcherd/publish.py",
        "    try:\n        os.link(result, goal, follow_symlinks=False)\n",
        "    try:\n        goal.unlink(missing_ok=True)\n"
        "        os.link(result, goal, follow_symlinks=False)\n",
        "tests/test_publish.py::test_a_name_that_is_taken_late_moves_the_whole_set",
    ),
    "equal bytes are not ours by that": Protection(
        "watcherd/publish.py",
        "return by_hash and not _linkable(result, goal) and",
        "return by_hash and",
        "tests/test_drive.py::test_equal_bytes_that_came_late_are_foreign",
    ),
    "nothing is placed after the outcome": Protection(
        "watcherd/publish.py",
        "        if job.outcome() is not None:  # a rival has finished, and its reader may have "
        "taken it\n            return True\n        there",
        "        there",
        "tests/test_publish.py::test_nothing_is_placed_after_the_outcome",
    ),
    "the outbox durable before the outcome": Protection(
        "watcherd/publish.py",
        "    for folder in {target(outbox, o).parent for o in publication.outputs}:\n"
        "        files.sync_dir(folder)\n",
        "",
        f"{_LOSS}[done]",
    ),
    "a missing outbox is not made": Protection(
        "watcherd/publish.py",
        "    if not hung.ask(outbox.path, outbox.path.is_dir):\n",
        "    if outbox.path.mkdir(parents=True, exist_ok=True):\n",
        "tests/test_publish.py::test_a_missing_outbox_is_a_fault_of_the_machine",
    ),
    "one outcome": Protection(
        "watcherd/jobdir.py",
        '            return files.create(self.path / "outcome.json", ',
        '            return not files.write(self.path / "outcome.json", ',
        "tests/test_jobdir.py::test_a_job_ends_once",
    ),
    "the outcome durable before the original leaves": Protection(
        "watcherd/filing.py",
        "    files.sync_dir(job.path)  # whoever concluded the job may not have come to that\n",
        "",
        "tests/test_drive.py::test_the_outcome_is_durable_before_the_original_leaves",
    ),
    "the reason before the original": Protection(
        "watcherd/filing.py",
        "            if good or _explain(job, sidecar, claim, outcome):\n"
        "                if job.fingerprint() is None:",
        "            moved = job.fingerprint() is not None and _move(job, target)\n"
        "            if moved and (good or _explain(job, sidecar, claim, outcome)):\n"
        "                return target\n"
        "            if good or sidecar is not None:\n"
        "                if job.fingerprint() is None:",
        "tests/test_filing.py::test_filing_survives_a_kill_anywhere",
    ),
    "what does not count is taken back": Protection(
        "watcherd/filing.py",
        "    withdraw(ended, Outbox(inbox.outbox, inbox.mode), but=counting)\n",
        "",
        "tests/test_filing.py::test_what_was_published_without_counting_is_taken_back",
    ),
    "a removed original stays removed": Protection(
        "watcherd/filing.py",
        "    job.source.unlink(missing_ok=True)\n    files.sync_dir(job.path)\n",
        "    job.source.unlink(missing_ok=True)\n",
        f"{_LOSS}[failed and retried, copied]",
    ),
    "the reason is taken back before its record": Protection(
        "watcherd/filing.py",
        "        files.sync_dir(filed.parent)  # before the record of what was filed goes\n",
        "        pass\n",
        f"{_LOSS}[failed and retried]",
    ),
    "jobs in work keep their spool": Protection(
        "watcherd/places.py",
        "if other != choice.path and _in_work(other, inbox)",
        "if other != choice.path and not _in_work(other, inbox)",
        "tests/test_environment_faults.py::test_jobs_stay_where_they_are_in_work",
    ),
    "a hung filesystem is given up": Protection(
        "watcherd/hung.py",
        "    thread.join(seconds)\n",
        "    thread.join()\n",
        "tests/test_hung.py::test_a_question_that_is_not_answered",
    ),
}
