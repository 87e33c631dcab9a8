"""The locks say the same as the requirements, with everything nailed down."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
OPTIONAL = ("requirements-fleet.txt", "requirements-notify.txt", "requirements-site.txt")
LOCKS = {"requirements.lock": ("requirements.txt",), "requirements-optional.lock": ("requirements.txt", *OPTIONAL)}


def requirements(names: tuple[str, ...]) -> list[Requirement]:
    every = [line for name in names for line in (ROOT / name).read_text().splitlines()]
    lines = (line.partition("#")[0].strip() for line in every)
    return [Requirement(line) for line in lines if line and not line.startswith("-r ")]


def locked(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", path.read_text(), re.MULTILINE))


WANTED = [(lock, wanted) for lock, names in LOCKS.items() for wanted in requirements(names)]


@pytest.mark.parametrize(("lock", "wanted"), WANTED, ids=[f"{lock}-{wanted.name}" for lock, wanted in WANTED])
def test_what_is_required_is_locked_at_a_version_that_will_do(lock: str, wanted: Requirement) -> None:
    version = locked(ROOT / lock)[wanted.name.lower()]
    assert wanted.specifier.contains(version, prereleases=True)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_has_hashes(lock: str) -> None:
    packages = re.split(r"^(?=[a-z0-9])", (ROOT / lock).read_text(), flags=re.MULTILINE)[1:]
    assert len(packages) == len(locked(ROOT / lock)) >= len(requirements(LOCKS[lock]))
    assert [package.split()[0] for package in packages if "--hash=sha256:" not in package] == []


def test_what_is_in_both_has_one_version() -> None:
    usual, every = (locked(ROOT / lock) for lock in LOCKS)
    assert usual.items() <= every.items()


@pytest.mark.slow
@pytest.mark.parametrize("lock", LOCKS)
def test_the_resolver_has_nothing_to_add(tmp_path: Path, lock: str) -> None:
    """Whatever requirements need of each other is there, too: with the lock as its preference, nothing changes."""
    uv = shutil.which("uv", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    if uv is None:
        pytest.skip("uv is not installed")
    copy = tmp_path / lock
    shutil.copy(ROOT / lock, copy)
    options = ["--universal", "--python-version", "3.11", "--no-header", "--no-annotate", "--quiet"]
    command = [uv, "pip", "compile", *options, "--output-file", copy, *(ROOT / name for name in LOCKS[lock])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 and re.search("(?i)connect|dns|network|timed out", done.stderr):
        pytest.skip("no package index answers")
    assert done.returncode == 0, done.stderr
    assert locked(copy) == locked(ROOT / lock)
