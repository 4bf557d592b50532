"""Where a spool belongs: beside its inbox where renames and links work, else below the state."""

from __future__ import annotations

import os
import subprocess

import pytest
from desks import Desk
from needs import needs

from watcherd import config, places
from watcherd.errors import EnvironmentFault
from watcherd.spool import Spool


def auto(root, **keys):
    """Return a desk whose inbox leaves the choice to us, and the choice."""
    desk = Desk(root, **keys)
    text = desk.config.source.read_text().replace(f'spool = "{root}/spool"\n', "")
    desk.config.source.write_text(text)
    loaded = config.load(desk.config.source)
    return loaded, loaded.inboxes[0]


def central(loaded) -> str:
    return str(loaded.state_dir / "spool")


def test_one_filesystem_has_its_spool_beside_the_inbox(tmp_path):
    """Where all share a local filesystem the spool is next to the inbox, and no probe is left."""
    loaded, inbox = auto(tmp_path)
    choice = places.choose(loaded, inbox)
    assert choice.path == tmp_path / ".watcherd"
    assert "share one filesystem" in choice.why
    assert not any(os.listdir(f) for f in (choice.path, inbox.path, inbox.outbox))
    assert places.choose(loaded, inbox) == choice


def test_what_is_configured_is_taken(desk):
    """A spool that is named needs no trial."""
    assert places.choose(desk.config, desk.inbox).path == desk.root / "spool"


def test_an_outbox_elsewhere_has_it_below_the_state(tmp_path, elsewhere):
    """Where results cannot be linked into the outbox the spool is not put beside the inbox."""
    loaded, inbox = auto(tmp_path, outbox=elsewhere)
    choice = places.choose(loaded, inbox)
    assert str(choice.path) == central(loaded)
    assert "cannot be linked" in choice.why
    assert not (tmp_path / ".watcherd").exists()
    assert os.listdir(elsewhere) == os.listdir(inbox.path) == []


def test_two_mounts_of_one_device_are_told_apart(tmp_path):
    """One device number is not enough: a mount point between them refuses renames."""
    needs("root", "mount")
    loaded, inbox = auto(tmp_path)
    if subprocess.run(["mount", "--bind", inbox.path, inbox.path], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        assert str(places.choose(loaded, inbox).path) == central(loaded)
    finally:
        subprocess.run(["umount", inbox.path], check=True)


def test_a_spool_is_not_put_into_another_inbox(tmp_path):
    """What lies in somebody's inbox would be taken in by it."""
    loaded, inbox = auto(tmp_path)
    text = loaded.source.read_text()
    outer = f'\n[[inbox]]\nname = "outer"\npath = "{tmp_path}/.watcherd"\noutbox = "/srv/x"\n'
    loaded.source.write_text(text + outer)
    loaded = config.load(loaded.source)
    choice = places.choose(loaded, inbox)
    assert str(choice.path) == central(loaded)
    assert "in the inbox outer" in choice.why


@pytest.mark.parametrize("folder", ["path", "outbox"])
def test_a_missing_folder_is_a_fault(tmp_path, folder):
    """A mount that is not there yet is waited for: nothing is decided without it."""
    loaded, inbox = auto(tmp_path)
    getattr(inbox, folder).rmdir()
    with pytest.raises(EnvironmentFault, match="does not exist"):
        places.choose(loaded, inbox)


def test_workers_know_the_spools_that_exist(tmp_path):
    """Whichever place was chosen, and whichever is made later, its jobs are found."""
    loaded, inbox = auto(tmp_path)
    assert places.known(loaded).by_name == {}
    made = [Spool.make(p) for p in (inbox.path.parent / ".watcherd", loaded.state_dir / "spool")]
    known = places.known(loaded)
    for spool in made:
        assert known.of(spool.new_job().job).root == spool.root
