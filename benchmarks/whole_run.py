"""What a whole run costs, beside the same promises written as plain tests: `python -m benchmarks.whole_run [PAIRS]`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

import rehearsal
from rehearsal.errors import NotAvailable
from rehearsal.sshd import Sshd, running

ROOT = Path(__file__).parents[1]
SAME = " or ".join(
    (
        "required_variables",
        "jwt_secret_strength",
        "database_url",
        "listening_port",
        "node_version",
        "postgres_server",
        "postgres_client",
        "migrations_applied",
        "api_health",
        "api_response_time",
        "api_smoke",
        "frontend_reachable",
        "database_connect",
        "service_active",
        "memory_usage",
        "cpu_usage",
        "disk_usage",
        "backup_fresh",
        "backup_complete",
        "backup_readable",
        "certificate_expiry",
        "certificate_trust",
    )
)
"""The checks that plain/test_plain.py has too."""


def timed(command: list[str], folder: Path, variables: Mapping[str, str]) -> tuple[float, str]:
    """Wall seconds of a command that must succeed, and what it printed."""
    began = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    took = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{(done.stdout + done.stderr)[-4000:]}")
    return took, done.stdout


def over_ssh(folder: Path, server: Sshd) -> Path:
    """The rehearsal's environment with its host reached as a server's is; returns the environment file."""
    config = server.config()
    text = (ROOT / "environments" / "rehearsal.yaml").read_text()
    local = "connection: local://"
    assert text.count(local) == 1
    path = folder / "rehearsal.yaml"
    path.write_text(text.replace(local, f"connection: ssh://server\n    ssh_config: {config}"))
    return path


def measure(pairs: int, environment: str, variables: Mapping[str, str], empty: Path) -> None:
    """Run the pairs against one environment and print what they cost."""
    pytest = [sys.executable, "-m", "pytest", "-q"]
    ours: list[float] = []
    plain: list[float] = []
    start: list[float] = []
    probes: list[float] = []
    for _ in range(pairs):
        command = [*pytest, f"--env={environment}", "-k", SAME, "--probe-durations", "--history=none"]
        took, output = timed(command, ROOT, variables)
        ours.append(took)
        probes.append(max(float(seconds) for seconds in re.findall(r"^ *([0-9.]+) s  \S+ of ", output, re.MULTILINE)))
        plain.append(timed(pytest, ROOT / "benchmarks" / "plain", variables)[0])
        start.append(timed(pytest, empty, variables)[0])
    print(f"  ours {median(ours):.2f} s · plain {median(plain):.2f} s · start-up of pytest alone {median(start):.2f} s")
    print(f"  plain / ours: {median(p / o for p, o in zip(plain, ours, strict=True)):.2f}")
    beyond = median((o - s) / p for o, s, p in zip(ours, start, probes, strict=True))
    print(f"  slowest probe {median(probes):.2f} s; (ours - start-up) / slowest probe: {beyond:.2f}")


def main(pairs: int) -> None:
    """Measure against a host that is this machine, and against the same host over ssh."""
    print(f"{pairs} pairs; seconds are medians, ratios are medians over pairs")
    with rehearsal.private() as whole, tempfile.TemporaryDirectory() as scratch:
        empty = Path(scratch, "empty")
        empty.mkdir()
        (empty / "test_nothing.py").write_text("def test_nothing(): pass\n")
        (empty / "pytest.ini").write_text(
            "[pytest]\naddopts = -p no:pytest11.testinfra -p no:hypothesispytest --html=x.html --junitxml=x.xml\n"
        )
        variables = {**whole.variables(), "REHEARSAL_ATTACH": str(whole.layout.root), "PYTHONPATH": str(ROOT)}
        print("the host is this machine (local://)")
        measure(pairs, "rehearsal", variables, empty)
        folder = Path(scratch, "sshd")
        folder.mkdir()
        try:
            with running(folder) as server:
                environment = over_ssh(Path(scratch), server)
                config = server.folder / "config"
                print("the host is reached over ssh (ssh://)")
                measure(
                    pairs,
                    str(environment),
                    {**variables, "BENCHMARK_HOST": f"ssh://server?ssh_config={config}"},
                    empty,
                )
        except NotAvailable as error:
            print(f"not measured over ssh: {error}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
