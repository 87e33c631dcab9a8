"""What a real nginx writes of awkward requests is counted as nginx answered them."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsverify.config.environment import Host
from opsverify.errors import ProbeError
from opsverify.evidence.deadline import Deadline
from opsverify.probes.host.logs.access import AccessFacts, AccessLog
from opsverify.probes.host.logs.window import Source
from opsverify.probes.host.probe import probe
from tests.pace import AMPLE, HANGS, until

HOST = Host(connection="local://", name="here", deadline=AMPLE)
CONFIGURATION = """
error_log {folder}/error.log; pid {folder}/pid; worker_processes 1; daemon off; user root;
events {{ worker_connections 64; }}
http {{
  log_format json escape=json '{{"time":"$time_iso8601","remote":"$remote_addr","status":$status,"request":"$request"}}';
  access_log {folder}/combined.log;
  access_log {folder}/json.log json;
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  server {{
    listen 127.0.0.1:{port}; listen [::1]:{port};
    location / {{ return 200; }}
    location /missing {{ return 404; }}
    location /broken {{ return 502; }}
    location /denied {{ return 403; }}
  }}
}}
"""

GET = b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n"
REQUESTS = [
    ("127.0.0.1", GET % (b"/", b"")),
    ("::1", GET % (b"/missing?a=\"b\"", b"User-Agent: it's \"quoted\" \\ and \x80\xff\r\n")),
    ("::1", GET % (b"/denied/\xe3\x81\x82 b", b"")),  # a blank in the path is no request
    ("::1", GET % (b"/denied/%20%22", b"Referer: \" 500 1 \"-\" \"\r\n")),
    ("127.0.0.1", GET % (b"/broken", b"User-Agent: \" 200 7 \"-\" \"x\r\n")),
    ("127.0.0.1", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),  # TLS, spoken to a plain port
    ("127.0.0.1", b"garbage\r\n\r\n"),
    ("127.0.0.1", b"GET / HTTP/9.9\r\n\r\n"),
    ("127.0.0.1", GET % (b"/" + b"a" * 20_000, b"")),  # 414
    ("127.0.0.1", b"PROPFIND /missing HTTP/1.0\r\n\r\n"),
    ("127.0.0.1", GET % (b"/missing]\xe2\x80\xae[26/Nov/2026:10:00:00", b"")),
]  # fmt: skip


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Counter[int]]]:
    """A folder of logs, and how often nginx answered with which status by its own answers."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed")
    folder = tmp_path_factory.mktemp("nginx")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, port=port))
    with subprocess.Popen([program, "-c", str(folder / "nginx.conf")], stderr=subprocess.PIPE) as process:
        until(lambda: process.poll() is not None or (folder / "pid").exists())
        if process.poll() is not None:
            pytest.skip("nginx does not start here, perhaps without IPv6")
        statuses: Counter[int] = Counter()
        for address, request in REQUESTS:
            with socket.create_connection((address, port), HANGS) as sock:
                sock.sendall(request)
                sock.shutdown(socket.SHUT_WR)
                answer = b""
                while piece := sock.recv(65536):
                    answer += piece
            status = answer.split(b" ")[1] if answer.startswith(b"HTTP/") else b"400"
            statuses[int(status)] += 1
        until(lambda: len((folder / "combined.log").read_bytes().splitlines()) >= len(REQUESTS))
        process.terminate()
    yield folder, statuses


def look(path: Path) -> AccessFacts:
    question = AccessLog(Source(str(path)), 24, 50)
    fact = probe(HOST, frozenset([question]), Deadline(AMPLE))[question]
    if isinstance(fact, ProbeError):
        raise fact
    return fact


def test_every_request_counts_by_the_answer_it_got(logged: tuple[Path, Counter[int]]) -> None:
    folder, statuses = logged
    facts = look(folder / "combined.log")
    assert dict(facts.statuses) == statuses
    assert facts.malformed == 0
    assert sum(client.count for client in facts.denied) == statuses[403]
    assert {client.address for client in facts.denied} == {"::1"}
    assert "/missing" in [path for _, path, _ in facts.paths]
    assert not [path for _, path, _ in facts.paths if "?" in path]


def test_a_log_in_json_is_not_taken_for_one_without_errors(logged: tuple[Path, Counter[int]]) -> None:
    folder, _ = logged
    with pytest.raises(ProbeError, match="none of its last .* lines is of nginx's format combined"):
        look(folder / "json.log").share(5)
