"""Nothing hangs, whatever accepts and never answers; and no secret is told, whatever goes wrong."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from .conftest import Project

SECRETS = {"PW": "hunter2-pässwörd/+%", "TOKEN": "t0ken=with&odd?chars", "HEADER": "h3ader-secret-value"}


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        taken: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    taken.append(server.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        for connection in taken:
            connection.close()


def leftovers(port: int) -> list[str]:
    """Processes, of whatever program, that still speak of that port."""
    listing = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listing.splitlines() if str(port) in line and "ps -eo" not in line]


def test_silent_peers_end_at_their_deadline_and_leave_nothing(project: Project, silent: int) -> None:
    project.environment(
        "silent",
        f"""
apis: {{a: {{url: 'http://127.0.0.1:{silent}'}}}}
frontends: {{f: {{url: 'https://127.0.0.1:{silent}'}}}}
databases: {{d: {{dsn: 'postgresql://u@127.0.0.1:{silent}/mycats'}}}}
hosts: {{h: {{connection: 'ssh://u@127.0.0.1:{silent}', deadline: 6}}}}
certificates: {{c: {{address: 127.0.0.1, port: {silent}}}}}
""",
    )
    done = project.run("--env", "silent")
    assert done.code == 1
    verdicts = {n: v for n, v in done.verdicts().items() if v != "not applicable"}
    reached = ("test_api_health[", "test_frontend_reachable[", "test_database_connect[")
    reached += ("test_api_response_time[", "test_cats_response_time[")  # longer than their limit
    assert {v for n, v in verdicts.items() if n.startswith(reached)} == {"alert"}
    assert {v for n, v in verdicts.items() if not n.startswith(reached)} == {"blocked"}
    assert "no answer within" in done.output
    assert leftovers(silent) == []


class Echo(BaseHTTPRequestHandler):
    """Answers with an error that repeats all that it was sent: headers, path, and so every secret."""

    def do_GET(self) -> None:
        body = f"<h1>500</h1> {self.path} {self.headers}".encode()
        self.send_response(500, "Oh no " + self.headers.get("Authorization", "").replace("\n", " "))
        self.send_header("X-Echo", self.headers.get("X-Key", ""))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.mark.parametrize(
    "arguments", [(), ("--tb=long", "--showlocals", "-vv"), ("-n", "2", "--tb=long", "--showlocals")]
)
def test_planted_secrets_are_told_nowhere(
    project: Project, serve: Callable[[Any], str], tmp_path_factory: pytest.TempPathFactory, arguments: tuple[str, ...]
) -> None:
    address = serve(Echo)
    port = address.rpartition(":")[2]
    secret_file = tmp_path_factory.mktemp("run") / "token"
    secret_file.write_text(SECRETS["TOKEN"] + "\n")
    env_file = tmp_path_factory.mktemp("etc") / "backend.env"
    env_file.write_text("JWT_SECRET=jwt-planted-secret\nDATABASE_URL=postgresql://u:db-planted-secret@h/other\n")
    from urllib.parse import quote

    project.environment(
        "planted",
        f"""
run_seconds: 6  # what speaks no PostgreSQL would be waited for
apis: {{a: {{url: '{address}', token: '${{file:{secret_file}}}', headers: {{X-Key: '${{HEADER}}'}}}}}}
frontends: {{f: {{url: '{address}', headers: {{X-Key: '${{HEADER}}'}}}}}}
databases:
  refused: {{dsn: 'postgresql://u:${{PWQ}}@127.0.0.1:1/mycats'}}
  no-postgres: {{dsn: 'host=127.0.0.1 port={port} user=u password=${{HEADER}} dbname=mycats'}}
hosts: {{here: {{connection: 'local://'}}}}
services: {{backend: {{host: here, role: backend, pid_file: /nonexistent.pid, port: 1, env_files: ['{env_file}']}}}}
""",
        excuse=("service-journal-errors", "database-stopped"),
    )
    variables = {**SECRETS, "PWQ": quote(SECRETS["PW"], safe="")}
    left = project.folder / "reports" / "planted"
    files = [f"--{option}={left}/{option}.txt" for option in ("summary", "json", "metrics")]
    under_actions = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": f"{left}/step.md"}
    done = project.run("--env", "planted", *files, *arguments, **variables, **under_actions)
    assert done.code == 1, done.output
    assert {"summary.txt", "json.txt", "metrics.txt", "step.md"} <= {path.name for path in left.iterdir()}
    message = done.everything()
    planted = [*SECRETS.values(), quote(SECRETS["PW"], safe=""), "jwt-planted-secret", "db-planted-secret", "hunter2"]
    assert [secret for secret in planted if secret in message] == []
    assert done.verdicts()["test_api_health[a]"] == "alert"


def test_secrets_are_not_in_the_history(project: Project, serve: Callable[[Any], str]) -> None:
    project.environment("planted", f"apis: {{a: {{url: '{serve(Echo)}', token: '${{TOKEN}}'}}}}\n")
    project.run("--env", "planted", **SECRETS)
    files = [p for p in Path(project.folder, "reports").rglob("*") if p.is_file()]
    assert any(p.suffix == ".db" for p in files)
    assert [p for p in files if SECRETS["TOKEN"].encode() in p.read_bytes()] == []


@pytest.mark.parametrize(
    "secret", ["pl4nted/x9kqz7w", "pl4nted@x9kqz7w", "12/34pl4nted#x9kqz7w", "pl4nted?x9kq z7wjv2"]
)
@pytest.mark.parametrize("place", ["databases: {main: {dsn: 'postgresql://u:${PW}@127.0.0.1:9/db'}}", "history: 'postgresql://u:${PW}@127.0.0.1:9/db'",
                                   "apis: {main: {url: 'https://u:${PW}@127.0.0.1:9'}}",
                                   "databases: {main: {dsn: 'host=127.0.0.1 password=${PW} dbname=x'}}",
                                   "documents: {d: {holds: runbook, location: 'https://u:${PW}@127.0.0.1:9/x'}}"])  # fmt: skip
def test_no_piece_of_a_password_is_told(project, secret, place):
    """Of one that ends an address in its middle: it is refused, with the name of its variable at most."""
    project.environment("somewhere", place + "\n")
    ran = project.run("--env", "somewhere", "-m", "smoke", "-vv", "--showlocals", "--tb=long", PW=secret)
    assert ran.code in (1, 4)
    for start in range(len(secret) - 5):
        assert secret[start : start + 6] not in ran.everything()
