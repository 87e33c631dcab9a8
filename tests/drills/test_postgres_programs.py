"""Server programs that lie where the user who may run them cannot go."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from opsverify.drills.confinement import confined
from opsverify.drills.postgres_programs import installed, readable_copy, unprivileged
from opsverify.drills.scratch import Scratch
from tests.pace import HANGS


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user")
@pytest.mark.parametrize("alone", [False, True], ids=["as another user", "and confined"])
def test_a_package_in_a_private_folder_is_copied_with_its_libraries(alone: bool, tmp_path: Path) -> None:
    wheel = next(one for one in installed() if one.origin == "wheel")
    package = wheel.folder.parents[1]
    for folder in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(folder, tmp_path / "private" / folder.name, symlinks=True)
    (tmp_path / "private").chmod(0o700)
    private = replace(wheel, folder=tmp_path / "private" / wheel.folder.relative_to(package.parent))
    with Scratch() as scratch:
        scratch.path.chmod(0o711)
        way = unprivileged(namespaces=False)
        if alone:
            way = confined(way, [scratch.path]).way
        folder = readable_copy(private, way, scratch.path / "install")
        assert scratch.path in folder.parents
        for name in ("initdb", "postgres", "psql", "pg_dump", "pg_restore"):
            command = [*way.prefix, folder / name, "--version"]
            done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=HANGS, **way.popen)
            assert (done.returncode, done.stdout[: len(name)]) == (0, name), done.stderr
