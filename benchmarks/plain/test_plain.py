"""The first checks of the runbook as they are usually written: one command or request per test, one after another."""

from __future__ import annotations

import datetime
import glob
import os
import re
import socket
import ssl
import tarfile
import time

import psycopg
import pytest
import requests
import testinfra

E = {key.removeprefix("REHEARSAL_"): value for key, value in os.environ.items() if key.startswith("REHEARSAL_")}


@pytest.fixture(scope="session")
def host():
    return testinfra.get_host(os.environ.get("BENCHMARK_HOST", "local://"))


@pytest.fixture
def database():
    with psycopg.connect(E["MONITOR_DSN"]) as connection:
        yield connection


def process(host, name):
    return host.run("cat %s", f"{E['RUN_DIR']}/{name}.pid").stdout.strip()


def variables(host):
    text = host.run("tr '\\0' '\\n' < /proc/%s/environ", process(host, "backend-blue")).stdout
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def test_required_variables(host):
    assert {"DATABASE_URL", "JWT_SECRET", "PORT", "NODE_ENV", "CORS_ORIGIN"} <= set(variables(host))


def test_jwt_secret_strength(host):
    assert len(variables(host)["JWT_SECRET"]) >= 32


def test_database_url(host):
    assert f":{E['PG_PORT']}/mycats" in variables(host)["DATABASE_URL"]


@pytest.mark.parametrize("port", ["API_BLUE_PORT", "FRONTEND_BLUE_PORT"])
def test_listening_port(host, port):
    assert host.run("ss -Hltn 'sport = :%s' || cat /proc/net/tcp", E[port]).stdout


def test_node_version(host):
    assert re.match(r"v2[02]\.", host.run("%s --version", E["NODE"]).stdout)


def test_postgres_server_version(database):
    assert database.info.server_version >= 150000


@pytest.mark.parametrize("program", ["psql", "pg_dump"])
def test_postgres_client_version(host, program):
    assert int(re.search(r" (\d+)", host.run("%s/%s --version", E["PG_BIN"], program).stdout)[1]) >= 15


def test_migrations_applied(host, database):
    sums = host.run("cd %s/backend/prisma/migrations && sha256sum */migration.sql", E["CHECKOUT"]).stdout
    there = {line.split()[1].split("/")[0]: line.split()[0] for line in sums.splitlines()}
    rows = database.execute("SELECT migration_name, checksum FROM _prisma_migrations WHERE finished_at IS NOT NULL")
    assert there == dict(rows.fetchall())


def test_api_health():
    answer = requests.get(E["API_BLUE_URL"] + "/health", timeout=10)
    assert answer.status_code == 200
    assert answer.json()["data"]["status"] == "ok"


def test_api_health_database():
    assert requests.get(E["API_BLUE_URL"] + "/health", timeout=10).json()["data"]["database"] == "ok"


def test_api_response_time():
    times = [requests.get(E["API_BLUE_URL"] + "/health", timeout=10).elapsed.total_seconds() for _ in range(3)]
    assert sorted(times)[1] < 3


def test_api_smoke():
    login = {"email": "staff1@mycats.example", "password": E["LOGIN_PASSWORD"]}
    said = requests.post(E["API_BLUE_URL"] + "/api/v1/auth/login", json=login, timeout=10).json()
    token = {"Authorization": f"Bearer {said['data']['access_token']}"}
    assert requests.get(E["API_BLUE_URL"] + "/api/v1/pedigrees", headers=token, timeout=10).json()["success"]


@pytest.mark.parametrize("url", ["PUBLIC_URL", "FRONTEND_BLUE_URL"])
def test_frontend_reachable(url):
    with requests.Session() as session:
        session.trust_env, session.verify = False, E["CA_FILE"]
        page = session.get(E[url], timeout=10)
        assert page.status_code == 200
        for asset in re.findall(r'(?:src|href)="(/_next/[^"]+)"', page.text):
            assert session.get(E[url] + asset, timeout=10).status_code == 200


def test_database_connect(database):
    assert database.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("name", ["backend-blue", "frontend-blue", "proxy"])
def test_service_active(host, name):
    assert host.run("kill -0 %s", process(host, name)).rc == 0


def test_memory_usage(host):
    figures = dict(re.findall(r"(\w+):\s+(\d+)", host.file("/proc/meminfo").content_string))
    assert int(figures["MemAvailable"]) > 0.01 * int(figures["MemTotal"])


def test_cpu_usage(host):
    def sample():
        figures = [int(n) for n in host.run("head -n 1 /proc/stat").stdout.split()[1:]]
        return sum(figures), figures[3] + figures[4]

    before = sample()
    time.sleep(1)
    after = sample()
    assert (after[1] - before[1]) / (after[0] - before[0]) >= 0


def test_disk_usage(host):
    for line in host.run("df -P -x tmpfs -x devtmpfs").stdout.splitlines()[1:]:
        assert int(line.split()[4].rstrip("%")) <= 99


def newest(pattern):
    return max(glob.glob(f"{E['BACKUP_DIR']}/{pattern}"), key=os.path.getmtime)


@pytest.mark.parametrize("pattern", ["db_*.sql", "app_*.tar.gz"])
def test_backup_fresh(host, pattern):
    modified = host.file(newest(pattern)).mtime
    assert datetime.datetime.now() - modified < datetime.timedelta(hours=49)


def test_database_backup_complete(host):
    assert "database dump complete" in host.run("tail -c 4096 %s", newest("db_*.sql")).stdout


def test_application_backup_readable():
    with tarfile.open(newest("app_*.tar.gz")) as archive:
        assert any("/backend/" in f"/{name}/" for name in archive.getnames())


def test_certificate():
    context = ssl.create_default_context(cafile=E["CA_FILE"])
    with (
        socket.create_connection(("localhost", int(E["PUBLIC_PORT"]))) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        assert ssl.cert_time_to_seconds(tls.getpeercert()["notAfter"]) > time.time() + 14 * 86400
