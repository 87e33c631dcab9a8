"""requirements.lock says the same as requirements.txt, with everything nailed down."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"


def requirements() -> list[Requirement]:
    lines = (line.partition("#")[0].strip() for line in (ROOT / "requirements.txt").read_text().splitlines())
    return [Requirement(line) for line in lines if line]


def locked() -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", LOCK.read_text(), re.MULTILINE))


@pytest.mark.parametrize("wanted", requirements(), ids=lambda wanted: wanted.name)
def test_what_is_required_is_locked_at_a_version_that_will_do(wanted: Requirement) -> None:
    version = locked()[wanted.name.lower()]
    assert wanted.specifier.contains(version, prereleases=True)


def test_every_package_has_hashes() -> None:
    packages = re.split(r"^(?=[a-z0-9])", LOCK.read_text(), flags=re.MULTILINE)[1:]
    assert len(packages) == len(locked()) >= len(requirements())
    assert [package.split()[0] for package in packages if "--hash=sha256:" not in package] == []


@pytest.mark.slow
def test_the_resolver_has_nothing_to_add(tmp_path: Path) -> None:
    """Whatever requirements need of each other is there, too: with the lock as its preference, nothing changes."""
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not installed")
    copy = tmp_path / "requirements.lock"
    shutil.copy(LOCK, copy)
    options = ["--universal", "--python-version", "3.11", "--no-header", "--no-annotate", "--quiet"]
    command = [uv, "pip", "compile", *options, "--output-file", copy, ROOT / "requirements.txt"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 and re.search("(?i)connect|dns|network|timed out", done.stderr):
        pytest.skip("no package index answers")
    assert done.returncode == 0, done.stderr
    resolved = dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", copy.read_text(), re.MULTILINE))
    assert resolved == locked()
