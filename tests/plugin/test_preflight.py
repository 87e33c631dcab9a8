"""What a full run would lack, asked of real files, sockets and programs: here, by an account that may do little."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import ROOT, Project

NOBODY, GROUP = 65534, 54321
UNASKED = (
    *("service-journal-errors", "access-log-server-errors", "access-log-client-errors", "weekly-backup", "cache-size"),
    *("temp-files-removed", "database-stopped", "unauthorized-access", "abnormal-api-calls", "audit-log"),
)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_what_is_not_reached_is_missing_also_where_a_check_judges_just_that(project: Project) -> None:
    port = closed_port()
    project.environment(
        "here",
        f"""
frontends: {{main: {{url: 'http://127.0.0.1:{port}'}}}}
databases: {{primary: {{dsn: "postgresql://watcher@127.0.0.1:{port}/mycats"}}}}
hosts: {{app1: {{connection: 'ssh://monitor@127.0.0.1:{port}'}}}}
""",
    )
    done = project.run("--env", "here", "--preflight", "-m", "smoke")
    assert done.code == 1, done.output
    for needle in (
        "Not reached\n",
        f"frontend main: http://127.0.0.1:{port}: connection refused\n    for frontend-reachable\n",
        f"      curl -sv -o /dev/null http://127.0.0.1:{port}\n",
        f"database primary: 127.0.0.1:{port}: connection refused\n",
        f"      pg_isready -h 127.0.0.1 -p {port} -d mycats\n",
        "host app1: connection refused\n",
        f"      ssh monitor@127.0.0.1:{port} true\n",
        "3 things are missing for a full run.",
    ):
        assert needle in done.output, done.output
    assert not (project.folder / "reports").exists()


def test_what_a_system_does_wrong_is_no_business_of_a_preflight(project: Project) -> None:
    narrow = "checks: {memory-usage: {band: {below: 0.0001, alert_above: 0.001}}}\nhosts: {here: {}}\n"
    project.environment("here", narrow)
    alarmed = project.run("--env", "here", "-k", "memory_usage", "--history=none")
    assert alarmed.code == 1
    done = project.run("--env", "here", "--preflight", "-k", "memory_usage", "--language", "ja")
    assert (done.code, "不足はありません" in done.output) == (0, True), done.output


def test_a_check_that_broke_is_missing(project: Project) -> None:
    project.own_checks(
        'from opsverify import runbook\n\n\n@runbook("memory-usage")\ndef test_breaks(memory, expect):\n    1 / 0\n'
    )
    project.environment("here", "hosts: {here: {}}\n")
    done = project.run("--env", "here", "--preflight")
    assert done.code == 1
    assert "the check itself broke (ZeroDivisionError)" in " ".join(done.output.split())


def test_a_preflight_in_which_nothing_was_judged_is_no_good_one(project: Project) -> None:
    project.environment("here", "hosts: {here: {}}\n")
    done = project.run("--env", "here", "--preflight", "-k", "api_health")
    assert (done.code, "NOTHING WAS JUDGED" in done.output) == (5, True), done.output


@pytest.fixture
def open_project() -> Iterator[Project]:
    """A project that every account of this machine may read."""
    folder = Path(tempfile.mkdtemp(prefix="preflight-"))
    folder.chmod(0o755)
    yield Project(folder)
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root, to be another account")
def test_an_account_without_rights_is_told_what_it_takes_and_has_it_then(open_project: Project) -> None:
    folder = open_project.folder
    closed, log, secrets = folder / "backup", folder / "backend.log", folder / "backend.env"
    closed.mkdir(mode=0o750)
    log.write_text('{"level":30,"time":1,"msg":"up"}\n')
    secrets.write_text("JWT_SECRET=x\nNODE_ENV=production\n")
    for path in (closed, log, secrets):
        os.chown(path, 0, GROUP)
        path.chmod(0o750 if path.is_dir() else 0o640)
    (folder / "backend.pid").write_text(str(os.getpid()))
    open_project.environment(
        "here",
        f"""
hosts: {{here: {{}}}}
services: {{backend: {{host: here, role: backend, pid_file: {folder}/backend.pid, env_files: [{secrets}]}}}}
logs: {{application: {{host: here, holds: application, path: {log}}}}}
folders: {{logs: {{host: here, holds: logs, path: {closed}}}}}
history: none
""",
        excuse=UNASKED,
    )

    def preflight(*groups: str) -> subprocess.CompletedProcess[str]:
        account = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", *(groups or ("--clear-groups",))]
        some = "application_log_alive or old_logs or node_env"
        command = [sys.executable, "-B", "-m", "pytest", "--env=here", "--preflight", "-k", some, "-p", "no:randomly"]
        env = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "HOME": "/", "COLUMNS": "200"}
        return subprocess.run([*account, *command], cwd=folder, env=env, capture_output=True, text=True, check=False)

    for name in os.listdir(ROOT / "checks"):
        if not os.access(ROOT / "checks" / name, os.R_OK):
            pytest.skip("other accounts may not read this checkout")
    refused = preflight()
    if "PermissionError" in refused.stderr or "No module named" in refused.stderr:
        pytest.skip("other accounts may not read this checkout, or its Python")
    assert refused.returncode == 1, refused.stdout + refused.stderr
    for path in (closed, log, secrets):
        assert f"g=$(stat -c %G {path}) && " in refused.stdout, refused.stdout
    assert "for old-logs-removed" in refused.stdout
    granted = preflight(f"--groups={GROUP}")
    assert (granted.returncode, "Nothing is missing" in granted.stdout) == (0, True), granted.stdout + granted.stderr
