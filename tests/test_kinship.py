"""A job belongs to the inbox it names; one that names nobody's, to the only user of its spool."""

from __future__ import annotations

import pytest
from desks import SCAN

from watcherd import config
from watcherd.kinship import Kin, claimant, kin, owned


def renamed(desk):
    """Return a job that names an inbox which the configuration does not."""
    job = desk.sealed()
    path = job.path / "job.json"
    path.write_text(path.read_text().replace('"scans"', '"before"'))
    return job


def test_a_job_is_its_inboxs(desk):
    """An inbox owns the jobs that name it, and none that names another one."""
    job = desk.sealed()
    assert owned(job, desk.inbox, Kin(frozenset({"scans"}), sole=True))
    other = renamed(desk)
    assert not owned(other, desk.inbox, Kin(frozenset({"scans", "before"}), sole=False))
    assert claimant(other) == "before"


def test_the_only_user_of_a_spool_takes_over(desk):
    """After its inbox was renamed a job goes on under the new name."""
    job = renamed(desk)
    assert owned(job, desk.inbox, Kin(frozenset({"scans"}), sole=True))
    assert claimant(job) == "scans"
    assert job.source.read_bytes() == SCAN


def test_where_several_use_a_spool_it_is_said(desk):
    """Nobody takes over what could be another's: the error says what to do."""
    job = renamed(desk)
    with pytest.raises(OSError, match="'before' that the configuration does not name"):
        owned(job, desk.inbox, Kin(frozenset({"scans"}), sole=False))
    assert claimant(job) == "before"


def test_who_may_use_a_spool(desks, tmp_path):
    """An inbox with a spool of its own is its only user; one that others may choose has none."""
    desk = desks()
    assert kin(desk.config, desk.inbox, desk.spool.root).sole
    text = (desk.root / "config.toml").read_text()
    second = text + text[text.index("[[inbox]]") :].replace('"scans"', '"more"').replace(
        "/inbox", "/inbox2"
    )
    (tmp_path / "c.toml").write_text(second)
    both = config.load(tmp_path / "c.toml")
    assert not kin(both, both.inboxes[0], desk.spool.root).sole
    assert kin(both, both.inboxes[0], desk.spool.root).names == {"scans", "more"}
