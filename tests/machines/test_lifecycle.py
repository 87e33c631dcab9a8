"""Hosts leave nothing behind, however their owner ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from rehearsal import machines
from rehearsal.machines import capability
from rehearsal.machines.host import TestHost
from rehearsal.machines.runs import sweep

ROOT = Path(__file__).parents[2]
OWNER = """
import sys, time
from rehearsal import machines
with machines.running() as (host,):
    print(host.control, host.folder.parent, flush=True)
    time.sleep(60)
"""


def traces(name: str) -> list[str]:
    """What bears a run's name: processes, namespaces, cgroups, mounts."""
    result = [str(path) for path in Path("/run/netns").glob(f"{name}*")]
    result += [str(path) for top in capability.cgroup_hierarchies() for path in top.glob(f"{name}*")]
    result += [line for line in Path("/proc/mounts").read_text().splitlines() if name.partition("-")[2] in line]
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes()
        except OSError:
            continue
        if f"--machine={name}".encode() in command:
            result.append(str(path))
    return result


def test_a_killed_owner_takes_its_hosts_along(hosts: Sequence[TestHost]) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    control, folder = owner.stdout.readline().split()
    assert traces(control)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdout.close()
    until = time.monotonic() + 10
    while any("cmdline" in trace for trace in traces(control)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not [trace for trace in traces(control) if "cmdline" in trace], "its hosts outlive it"
    assert sweep() == 1
    assert traces(control) == []
    assert not os.path.exists(folder)
    # Those of a living owner are left alone.
    assert hosts[0].run("hostname").stdout.strip() == "app1"


@pytest.mark.parametrize(
    ("uid", "path", "reason"),
    [(1000, None, "test hosts need root"), (0, "/nonexistent", "test hosts need the packages git, iproute2")],
)
def test_what_is_missing_is_said(uid: int, path: str | None, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: uid)
    if path:
        monkeypatch.setenv("PATH", path)
    assert machines.available().startswith(reason)
