"""Behind a real nginx with My Cats' limits, the probe does not report its own noise."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from opsverify.config.environment import Api, Frontend
from opsverify.evidence.deadline import Deadline
from opsverify.probes.http.cors import Cors
from opsverify.probes.http.data import Cats, Smoke
from opsverify.probes.http.health import Health
from opsverify.probes.http.page import Page
from opsverify.probes.http.probe import probe as http_probe
from tests.pace import AMPLE, HANGS
from tests.probes.http.healthy import ago, at, telling

CONFIGURATION = """
error_log {folder}/error.log; pid {folder}/pid; worker_processes 1; daemon off; user root;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  limit_req_zone $binary_remote_addr zone=api:1m rate=10r/s;
  limit_req_zone $binary_remote_addr zone=web:1m rate=30r/s;
  limit_req_zone $binary_remote_addr zone=second:1m rate=1r/s;
  proxy_cache_path {folder}/kept keys_zone=kept:1m;
  server {{
    listen 127.0.0.1:{port};
    default_type text/html;
    location /api/ {{ limit_req zone=api; proxy_pass {behind}; }}
    location / {{ limit_req zone=web; proxy_pass {behind}; }}
    location /second/ {{ limit_req zone=second; proxy_pass {behind}; }}
    location /closed/ {{ return 503; }}
    location /kept/ {{ proxy_cache kept; proxy_cache_valid 200 1d; proxy_pass {behind}; }}
    location /asked/ {{
      proxy_cache kept; proxy_cache_valid 200 1d; proxy_cache_bypass $http_pragma; proxy_pass {behind};
    }}
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
        end = time.monotonic() + HANGS
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
    questions = frozenset([Health(), Smoke(), Cats(), Cors(("https://cats.example.com",))])
    answers = http_probe(api, questions, Deadline(AMPLE))
    assert answers[Smoke()].shape_ok
    assert not any(answer.rate_limited for answer in answers.values())
    assert len(answers[Cats()].timings) == len(answers[Health()].timings) == 3


def test_a_page_with_many_assets_stays_below_thirty_a_second(site: Any, nginx: str) -> None:
    site.answer("*", "1", Content_Type="text/javascript")
    scripts = "".join(f"<script src=/{n}.js></script>" for n in range(40))
    site.answer("/", scripts, Content_Type="text/html")
    page = http_probe(Frontend(name="main", url=nginx), frozenset([Page()]), Deadline(AMPLE))[Page()]
    assert not page.rate_limited
    assert all(asset.ok for asset in page.assets)


def of_api(nginx: str, path: str, question: Any, **more: Any) -> Any:
    api = Api.model_validate({"name": "main", "url": nginx, "health_path": path, "smoke_path": path, **more})
    return http_probe(api, frozenset([question]), Deadline(AMPLE))[question]


def test_a_limit_that_a_request_was_beyond_is_waited_for(site: Any, nginx: str) -> None:
    site.answer("*", "{}")
    assert requests.get(f"{nginx}/second/", timeout=HANGS).status_code == 200
    answer = of_api(nginx, "/second/", Smoke())
    assert (answer.status, answer.rate_limited, len(site.requests)) == (200, False, 2)


def test_a_503_that_persists_is_not_called_a_limit(nginx: str) -> None:
    health = of_api(nginx, "/closed/", Health(), samples=3)
    assert (health.status, health.content_type, health.rate_limited) == (503, "text/html", False)


def test_a_cache_that_says_nothing_of_itself_is_seen_by_the_time_told(site: Any, nginx: str) -> None:
    site.routes["*"] = telling(at(18))
    for place in ("kept", "asked"):
        requests.get(f"{nginx}/{place}/health", timeout=HANGS)
    site.routes["*"] = telling(ago(0))
    assert of_api(nginx, "/kept/health", Health()).age_seconds == pytest.approx(18 * 3600, abs=AMPLE)
    assert of_api(nginx, "/asked/health", Health()).age_seconds == pytest.approx(0, abs=AMPLE), "as we ask for"
