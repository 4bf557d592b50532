"""What can be seen of a file in an inbox, with real leases."""

from __future__ import annotations

import errno
import mmap
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from watcherd.endmark import HEAD, TAIL
from watcherd.lease import Peek, fingerprint, peek, writer
from watcherd.settle import Writer

ROOT = Path(__file__).parent.parent


@pytest.fixture
def scan(tmp_path) -> Path:
    path = tmp_path / "scan.pdf"
    path.write_bytes(b"%PDF-1.4 not much")
    return path


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a script in its own process, where its signals and rights are its own."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_closed_file_has_no_writer(scan):
    """Nobody has it open: the kernel says so."""
    assert writer(scan) is Writer.NONE


@pytest.mark.parametrize("mode", ["ab", "r+b"])
def test_a_file_open_for_writing_has_a_writer(scan, mode):
    """An open file has a writer, even if nothing is written, until it is closed."""
    with scan.open(mode):
        assert writer(scan) is Writer.OPEN
    assert writer(scan) is Writer.NONE


def test_a_file_mapped_for_writing_has_a_writer(scan):
    """A mapping writes without an open file, and without a change of the time at once."""
    with scan.open("r+b") as file:
        mapping = mmap.mmap(file.fileno(), 0)
    assert writer(scan) is Writer.OPEN
    mapping.close()
    assert writer(scan) is Writer.NONE


def test_a_reader_is_no_writer(scan):
    """Somebody who only reads the file does not hold it up."""
    with scan.open("rb"):
        assert writer(scan) is Writer.NONE


def test_another_program_is_seen_to_write(scan):
    """The writer may be any program of this host, also one that ends without closing."""
    script = "import sys; file = open(sys.argv[1], 'ab'); print('open', flush=True); input()"
    command = [sys.executable, "-c", script, str(scan)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"open\n"
        assert writer(scan) is Writer.OPEN
        program.kill()
        program.wait()
        assert writer(scan) is Writer.NONE


def test_without_asking_the_writer_is_unknown(scan):
    """On a network filesystem the question is not asked, whatever its answer would be."""
    with scan.open("ab"):
        assert peek(scan, ask_writer=False).writer is Writer.UNKNOWN


def test_a_foreign_file_has_an_unknown_writer():
    """A file of another user can be read, but only its owner may ask for its lease."""
    script = """if True:
        import os, sys
        from watcherd.lease import writer
        if os.geteuid() == 0:
            os.setresuid(65534, 65534, 65534)
        print(writer(sys.argv[1]))
    """
    result = run(script, "/etc/passwd")
    assert result.stdout == "unknown\n", result.stderr


def test_an_unreadable_file_is_an_error():
    """What may not be read is told by the system's own error."""
    script = """if True:
        import os, sys
        from watcherd.lease import peek
        if os.geteuid() == 0:
            os.setresuid(65534, 65534, 65534)
        try:
            peek(sys.argv[1])
        except PermissionError as error:
            print("not permitted:", error.filename)
    """
    with tempfile.NamedTemporaryFile() as file:  # where another user can reach it
        Path(file.name).chmod(0)
        result = run(script, file.name)
    assert result.stdout == f"not permitted: {file.name}\n", result.stderr


def test_a_vanished_file_is_an_error(tmp_path):
    """A file that has gone meanwhile is told by the system's own error."""
    with pytest.raises(FileNotFoundError):
        peek(tmp_path / "gone.pdf")


@pytest.mark.parametrize("kind", ["fifo", "folder", "link", "device"])
def test_only_regular_files_are_opened(tmp_path, scan, kind):
    """A pipe does not block, a link is not followed, a device is not touched: all are refused."""
    path = tmp_path / "odd.pdf"
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "link":
            path.symlink_to(scan)
        case "device":
            path = Path("/dev/zero")
    with pytest.raises(OSError, match="not a regular file") as caught:
        peek(path)
    assert caught.value.errno == errno.EINVAL
    assert caught.value.filename == str(path)


@pytest.mark.parametrize("size", [0, 10, HEAD, TAIL, 5000])
def test_a_peek_shows_beginning_end_and_fingerprint(tmp_path, size):
    """One look gives what the judgement of a file's ending and its settling need."""
    path = tmp_path / "scan.pdf"
    content = bytes(number % 251 for number in range(size))
    path.write_bytes(content)
    expected = Peek(fingerprint(path.stat()), Writer.NONE, content[:HEAD], content[-TAIL:])
    assert expected.fingerprint.size == size
    assert peek(path) == expected


def test_a_name_may_be_any_bytes_below_an_open_folder(tmp_path):
    """A scanner of folders can ask by undecodable names, relative to the folder it holds."""
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.pdf")).write_bytes(b"scan")
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        assert peek(b"\xff.pdf", dir_fd=folder).head == b"scan"
        assert writer(b"\xff.pdf", dir_fd=folder) is Writer.NONE
    finally:
        os.close(folder)


def test_a_peek_changes_nothing(scan):
    """Neither the times nor the number of open files differ afterwards."""
    os.utime(scan, (1, 2))
    status, files = scan.stat(), len(os.listdir("/proc/self/fd"))
    peek(scan)
    with pytest.raises(OSError, match="not a regular"):
        peek(scan.parent)
    after = scan.stat()
    assert (after.st_mtime_ns, after.st_ctime_ns) == (status.st_mtime_ns, status.st_ctime_ns)
    assert len(os.listdir("/proc/self/fd")) == files


def test_a_foreign_write_lease_is_a_writer(scan):
    """Samba may hold a lease of its own on an open file: it is not waited for."""
    script = """if True:
        import fcntl, os, signal, sys
        signal.signal(signal.SIGIO, signal.SIG_IGN)
        fd = os.open(sys.argv[1], os.O_RDWR)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        print("held", flush=True)
        input()
    """
    command = [sys.executable, "-c", script, str(scan)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert peek(scan) == Peek(fingerprint(scan.stat()), Writer.OPEN, b"", b"")
        holder.kill()
        holder.wait()
    assert peek(scan).head == b"%PDF-1.4 not much"


def test_a_writer_that_comes_meanwhile_harms_nobody(scan):
    """A writer that opens just while the lease is held gets its file, and no signal kills us.

    Nor does a file without a writer ever show bytes that do not fit its fingerprint.
    """
    script = """if True:
        import subprocess, sys
        from watcherd.lease import peek
        path = sys.argv[1]
        write = "import sys\\nfor n in range(20000): open(sys.argv[1], 'wb').write(bytes(n % 999))"
        program = subprocess.Popen([sys.executable, "-c", write, path])
        seen = set()
        torn = 0
        while program.poll() is None:
            found = peek(path)
            seen.add(found.writer.value)
            torn += found.writer == "none" and found.fingerprint.size != len(found.tail)
        print(program.returncode, sorted(seen), torn)
    """
    result = run(script, scan)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "0 ['none', 'open'] 0\n"
