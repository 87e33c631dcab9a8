"""Real programs from npm's registry, each in a scratch folder of its own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def installed(folder: Path, *packages: str) -> Path:
    """Install packages, "dotenv@16.6.1", below `folder`; returns its node_modules. Skips the test where that fails."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text("{}")
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=0", "--loglevel=error"]
    done = subprocess.run(
        [npm, "install", *quiet, "--no-package-lock", *packages], cwd=folder, capture_output=True, text=True
    )
    if done.returncode != 0:
        pytest.skip(f"npm cannot install {', '.join(packages)}: {done.stderr.strip()[-200:]}")
    return folder / "node_modules"
