"""On which filesystem a folder lies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcherd import mounts
from watcherd.errors import EnvironmentFault
from watcherd.mounts import Mount, covering, filesystem_of, is_network, parse, watch_mode

ROOT = Path(__file__).parent.parent

TABLE = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
30 22 0:25 / /proc rw,nosuid shared:12 master:3 - proc proc rw
40 22 0:40 /export /srv/My\040Scans\134new rw,relatime shared:9 - nfs4 nas:/export rw,vers=4.2
41 22 8:2 / /srv ro,relatime - xfs /dev/sdb1 rw
42 41 0:41 / /srv/scans rw - cifs //nas/scans rw
43 42 0:42 / /srv/scans rw - tmpfs  ro,size=4k
50 22 0:50 / /mnt/a rw - fuse.sshfs me@there:/ rw
not a line of a mount table
60 22 0:60 / /mnt/short
"""


def test_a_mount_table_is_read():
    """Every documented column is understood, with or without optional ones; the rest is left."""
    table = parse(TABLE)
    assert [mount.number for mount in table] == [22, 30, 40, 41, 42, 43, 50]
    assert table[0] == Mount(22, 1, "8:1", "/", "ext4", "/dev/sda1", read_only=False)
    assert table[2] == Mount(
        40, 22, "0:40", "/srv/My Scans\\new", "nfs4", "nas:/export", read_only=False
    )
    assert table[5].source == ""


def test_read_only_is_said_by_the_mount_or_its_filesystem():
    """Either set of options makes a mount read-only; an option that mentions it does not."""
    read_only = {mount.mount_point for mount in parse(TABLE) if mount.read_only}
    assert read_only == {"/srv", "/srv/scans"}


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("/", 22),
        ("/home/me", 22),
        ("/srvices", 22),
        ("/proc/self", 30),
        ("/srv", 41),
        ("/srv/other/inbox", 41),
        ("/srv/scans", 43),
        ("/srv/scans/inbox", 43),
        ("/srv/scanscans", 41),
        ("/srv/My Scans\\new/inbox", 41),
        ("/mnt/a/inbox", 50),
    ],
)
def test_a_path_reaches_what_is_mounted_on_top(path, number):
    """The deepest mount that can be reached counts, not one that a later mount has hidden."""
    mount = covering(parse(TABLE), path)
    assert mount is not None
    assert mount.number == number


def test_an_empty_table_covers_nothing():
    """Without a mount above it, a path has no filesystem."""
    assert covering((), "/srv") is None
    assert covering(parse("5 1 8:1 / /only rw - ext4 x rw"), "/srv") is None


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1))
def test_any_mount_point_survives_the_kernels_escapes(name):
    """Names with blanks, line breaks of all kinds and backslashes come back as they were."""
    escaped = name
    for character in "\\ \t\n#":
        escaped = escaped.replace(character, f"\\{ord(character):03o}")
    (mount,) = parse(f"5 1 8:1 / /{escaped} rw - ext4 {escaped} rw")
    assert (mount.mount_point, mount.source) == (f"/{name}", name)


@given(st.text())
def test_any_table_can_be_read(text):
    """Whatever the table holds, reading it does not raise."""
    for mount in parse(text + "\n" + TABLE.replace("8:1", text)):
        assert covering((mount,), mount.mount_point) in {mount, None}


@pytest.mark.parametrize(
    ("fstype", "mode"),
    [
        ("ext4", "inotify"),
        ("xfs", "inotify"),
        ("btrfs", "inotify"),
        ("zfs", "inotify"),
        ("tmpfs", "inotify"),
        ("overlay", "inotify"),
        ("fuseblk", "inotify"),
        ("vfat", "inotify"),
        ("nfs", "scan"),
        ("nfs4", "scan"),
        ("cifs", "scan"),
        ("smb3", "scan"),
        ("fuse", "scan"),
        ("fuse.sshfs", "scan"),
        ("fuse.glusterfs", "scan"),
        ("9p", "scan"),
        ("virtiofs", "scan"),
        ("autofs", "scan"),
    ],
)
def test_network_filesystems_are_scanned(fstype, mode):
    """Where others can change files unheard, listening is not enough."""
    assert watch_mode(fstype) == mode
    assert is_network(fstype) == (mode == "scan")


@pytest.mark.parametrize("where", ["/", "/proc/self/fd", "/dev/pts", "."])
def test_the_real_table_agrees_with_the_kernel(where):
    """The mount found for a real folder has the device that the kernel reports for it."""
    mount = filesystem_of(where)
    device = Path(where).stat().st_dev
    assert mount.device == f"{os.major(device)}:{os.minor(device)}"


def test_links_are_followed_and_the_path_need_not_exist(tmp_path):
    """A folder yet to be made, behind a link, lies where the link leads."""
    (tmp_path / "link").symlink_to("/proc")
    assert filesystem_of(tmp_path / "link" / "missing").fstype == "proc"
    assert filesystem_of(os.fsencode(tmp_path / "link")).fstype == "proc"


def test_a_missing_table_is_a_fault_of_the_machine(monkeypatch, tmp_path):
    """Without /proc, or with a table that covers nothing, the error says what is missing."""
    monkeypatch.setattr(mounts, "MOUNTINFO", tmp_path / "mountinfo")
    with pytest.raises(EnvironmentFault, match="cannot be read: No such file"):
        filesystem_of("/")
    (tmp_path / "mountinfo").write_bytes(b"")
    with pytest.raises(EnvironmentFault, match="names no filesystem for /"):
        filesystem_of("/")


def test_stacked_and_hidden_mounts_of_a_real_kernel(tmp_path):
    """In a mount namespace of our own: what is mounted over, or under, is told apart."""
    script = """if True:
        import json, os, pathlib, subprocess, sys
        from watcherd.mounts import filesystem_of
        top = pathlib.Path(sys.argv[1])
        def mount(folder):
            folder.mkdir(parents=True, exist_ok=True)
            subprocess.run(["mount", "-t", "tmpfs", "none", str(folder)], check=True)
        mount(top / "a b" / "inbox")
        mount(top / "a b" / "inbox")
        mount(top / "hidden" / "inbox")
        mount(top / "hidden")
        (top / "hidden" / "inbox").mkdir()
        def agrees(folder):
            device = folder.stat().st_dev
            return filesystem_of(folder).device == f"{os.major(device)}:{os.minor(device)}"
        folders = ["a b", "a b/inbox", "hidden", "hidden/inbox"]
        print(json.dumps({folder: agrees(top / folder) for folder in folders}))
    """
    command = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine allows no user namespaces")
    result = subprocess.run(
        [*command, sys.executable, "-c", script, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert set(json.loads(result.stdout).values()) == {True}, result.stdout
