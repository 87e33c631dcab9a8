"""What real pnpm installs, wherever it keeps the packages: all there, and told when one is not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from opsverify.config.environment import Host
from opsverify.errors import ProbeError
from opsverify.evidence.deadline import Deadline
from opsverify.probes.host.probe import probe
from opsverify.probes.host.release.installed_packages import Installation, InstalledPackages
from tests.npm import installed
from tests.pace import AMPLE, HANGS

HOST = Host(connection="local://", name="here", deadline=AMPLE)
LAYOUTS = {
    "isolated": "",
    "global": "enableGlobalVirtualStore: true\n",
    "elsewhere": "virtualStoreDir: .packages\n",
    "hoisted": "nodeLinker: hoisted\n",
}


@pytest.fixture(scope="module", params=["9", "10", "of this machine"])
def pnpm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not request.param.isdecimal():
        return Path(shutil.which("pnpm") or pytest.skip("pnpm is not installed"))
    return installed(tmp_path_factory.mktemp("pnpm") / request.param, f"pnpm@{request.param}") / ".bin/pnpm"


@pytest.fixture
def checkout(tmp_path: Path, request: pytest.FixtureRequest, pnpm: Path) -> Path:
    folder = tmp_path / "mycats"
    (folder / "backend").mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"name": "x", "private": True, "dependencies": {"ms": "2.1.3"}}))
    backend = {"name": "backend", "dependencies": {"debug": "4.4.0", "@types/ms": "2.1.0"}}
    (folder / "backend/package.json").write_text(json.dumps(backend))
    settings = f"storeDir: {tmp_path}/store\n" + LAYOUTS[request.param]
    (folder / "pnpm-workspace.yaml").write_text("packages:\n  - backend\n" + settings)
    lines = (line.split(": ") for line in settings.splitlines())
    names = {"storeDir": "store-dir", "virtualStoreDir": "virtual-store-dir", "nodeLinker": "node-linker"}
    (folder / ".npmrc").write_text("".join(f"{names[key]}={value}\n" for key, value in lines if key in names))
    command = [str(pnpm), "install", "--ignore-scripts"]
    env = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=HANGS, check=False)
    if done.returncode:
        pytest.skip(f"pnpm cannot install: {(done.stdout + done.stderr).strip()[-200:]}")
    return folder


def look(folder: Path) -> Installation:
    question = InstalledPackages(str(folder))
    fact = probe(HOST, frozenset([question]), Deadline(AMPLE))[question]
    assert not isinstance(fact, ProbeError), fact
    return fact


@pytest.mark.parametrize("checkout", LAYOUTS, indirect=True)
def test_whatever_pnpm_installed_is_there_until_it_is_taken_away(checkout: Path) -> None:
    seen = look(checkout)
    assert (seen.installed, seen.absent, seen.stale, seen.lacking, seen.different) == (True, (), (), (), ())
    assert seen.packages == 3
    place = (checkout / "backend/node_modules/debug").resolve()
    if not place.exists():  # hoisted
        place = (checkout / "node_modules/debug").resolve()
    while place.name != "4.4.0" and place.parent.name not in (".pnpm", ".packages", "node_modules"):
        place = place.parent  # the folder of this package in the store
    shutil.rmtree(place)
    assert look(checkout).absent != ()
