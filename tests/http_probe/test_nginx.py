"""Behind a real nginx with My Cats' limits, the probe does not report its own noise."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from opsverify.environment import Api, Frontend
from opsverify.evidence import Deadline
from opsverify.probes import http

CONFIGURATION = """
error_log {folder}/error.log; pid {folder}/pid; worker_processes 1; daemon off;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  limit_req_zone $binary_remote_addr zone=api:1m rate=10r/s;
  limit_req_zone $binary_remote_addr zone=web:1m rate=30r/s;
  server {{
    listen 127.0.0.1:{port};
    default_type text/html;
    location /api/ {{ limit_req zone=api; proxy_pass {behind}; }}
    location / {{ limit_req zone=web; proxy_pass {behind}; }}
  }}
}}
"""


@pytest.fixture
def nginx(site: Any, tmp_path: Path) -> Iterator[str]:
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = tmp_path / "nginx.conf"
    file.write_text(CONFIGURATION.format(folder=tmp_path, port=port, behind=site.url))
    with subprocess.Popen([program, "-c", str(file)], stderr=subprocess.PIPE) as process:
        end = time.monotonic() + 5
        while process.poll() is None and time.monotonic() < end:
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        yield f"http://127.0.0.1:{port}"
        process.terminate()


def test_all_questions_stay_below_ten_a_second(site: Any, nginx: str) -> None:
    body = json.dumps({"success": True, "data": [], "meta": {"total": 0, "page": 1, "limit": 1, "totalPages": 0}})
    site.answer("*", body)
    api = Api.model_validate({"name": "main", "url": nginx, "health_path": "/api/v1/health"})
    questions = frozenset([http.Health(), http.Smoke(), http.Cats(), http.Cors(("https://cats.example.com",))])
    answers = http.probe(api, questions, Deadline(10))
    assert answers[http.Smoke()].shape_ok
    assert not any(answer.rate_limited for answer in answers.values())
    assert len(answers[http.Cats()].timings) == len(answers[http.Health()].timings) == 3


def test_a_page_with_many_assets_stays_below_thirty_a_second(site: Any, nginx: str) -> None:
    site.answer("*", "1", Content_Type="text/javascript")
    scripts = "".join(f"<script src=/{n}.js></script>" for n in range(40))
    site.answer("/", scripts, Content_Type="text/html")
    page = http.probe(Frontend(name="main", url=nginx), frozenset([http.Page()]), Deadline(10))[http.Page()]
    assert not page.rate_limited
    assert all(asset.ok for asset in page.assets)


def test_nginx_s_own_refusal_is_called_rate_limited(site: Any, nginx: str) -> None:
    site.answer("*", "{}")
    stop = threading.Event()

    def flood() -> None:
        with requests.Session() as session:
            while not stop.is_set():
                session.get(f"{nginx}/api/x", timeout=5)

    others = threading.Thread(target=flood)
    others.start()
    try:
        api = Api.model_validate({"name": "main", "url": nginx, "smoke_path": "/api/x"})
        answers = [http.probe(api, frozenset([http.Smoke()]), Deadline(5))[http.Smoke()] for _ in range(2)]
    finally:
        stop.set()
        others.join()
    limited = [answer for answer in answers if answer.status == 503]
    assert limited, "the others left nothing for us"
    assert all(answer.rate_limited for answer in limited)
