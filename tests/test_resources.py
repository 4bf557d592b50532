"""Files that travel with the program: found in a checkout, in a wheel, in a source archive."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from watcherd import resources
from watcherd.errors import EnvironmentFault

ROOT = Path(__file__).parent.parent
SHARE = "watcherd-0.1.0.data/data/share/watcherd/"

BUILD = """
import sys
from setuptools import build_meta
out = sys.argv[1]  # they change it
build_meta.build_sdist(out)
build_meta.build_wheel(out)
"""
INSTALLED = """
from watcherd import resources
print(resources.find(resources.EXAMPLE))
print(resources.find("deploy"))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """Build sdist and wheel out of a copy, so that the checkout stays as it is."""
    copy, out = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("dist")
    for name in ("watcherd", "tasks", "deploy"):
        skipped = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, copy / name, ignore=skipped)
    for name in ("pyproject.toml", "README.md", "config.example.toml"):
        shutil.copy(ROOT / name, copy / name)
    (copy / "deploy" / "systemd" / "probe.service").touch()
    subprocess.run(
        [sys.executable, "-c", BUILD, out], cwd=copy, check=True, capture_output=True, timeout=120
    )
    return out


def travelling() -> set[str]:
    """Return the names that have to travel, relative to the checkout."""
    deploy = (
        p for p in (ROOT / "deploy").rglob("*") if p.is_file() and "__pycache__" not in str(p)
    )
    names = {str(path.relative_to(ROOT)) for path in deploy}
    return names | {"config.example.toml", "deploy/systemd/probe.service"}


def test_the_wheel_holds_them(built):
    """The example and everything below deploy/ are in the wheel."""
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {SHARE + name for name in travelling()} <= names
    assert "watcherd/ledger/schema.sql" in names


def test_the_source_archive_holds_them(built):
    """A wheel can be built from the source archive, which has the same files."""
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert travelling() <= names


def test_they_are_found_where_the_wheel_is_installed(built, tmp_path):
    """An installed program finds them in its own environment, far from any checkout."""
    venv.create(tmp_path / "env", with_pip=False)
    python = tmp_path / "env" / "bin" / "python"
    (wheel,) = built.glob("*.whl")
    install = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps"]
    subprocess.run([*install, "--no-index", wheel], check=True, timeout=120)
    found = subprocess.run(
        [python, "-c", INSTALLED], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    share = tmp_path.resolve() / "env" / "share" / "watcherd"
    assert found.stdout.split() == [str(share / "config.example.toml"), str(share / "deploy")]


def test_a_checkout_uses_its_own():
    """In a checkout the files at its root are found, also when it is installed editable."""
    assert resources.find(resources.EXAMPLE) == ROOT / "config.example.toml"


def test_what_is_missing_is_a_fault_of_the_machine():
    """A file that does not travel is said to be missing, with the places that were looked at."""
    with pytest.raises(EnvironmentFault, match=r"no\.such is missing from this installation"):
        resources.find("no.such")
