"""Redirects that would have the checks ask their own machine, or the platform that it runs on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

ASKING = """
import json, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

asked = []

def serve(address, location=None):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append([address, self.path, self.headers.get("X-Key")])
            self.send_response(302 if location else 200)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")
        def log_message(self, *_):
            pass
    class Server(ThreadingHTTPServer):
        address_family = 10 if ":" in address else 2
    server = Server((address, 8080), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

base, elsewhere = sys.argv[1:]
serve(base, f"http://[{elsewhere}]:8080/secrets" if ":" in elsewhere else f"http://{elsewhere}:8080/secrets")
serve(elsewhere)

from opsverify.config.environment import Api
from opsverify.errors import ProbeError
from opsverify.evidence.deadline import Deadline
from opsverify.probes.http.health import Health
from opsverify.probes.http.probe import probe

api = Api(url=f"http://{base}:8080", name="a", headers={"X-Key": "s3cret"})
try:
    answer = probe(api, frozenset([Health()]), Deadline(20))[Health()]
except ProbeError as error:
    answer = error
print(json.dumps({"asked": asked, "answer": str(answer) if isinstance(answer, ProbeError) else answer.status}))
"""


@pytest.mark.parametrize(
    ("base", "elsewhere", "followed"),
    [
        ("10.1.1.1", "169.254.169.254", False),
        ("10.1.1.1", "100.100.100.200", False),
        ("10.1.1.1", "fd00:ec2::254", False),
        ("10.1.1.1", "127.0.0.1", False),
        ("10.1.1.1", "::1", False),
        ("127.0.0.1", "169.254.169.254", False),
        ("127.0.0.1", "127.0.0.2", True),
        ("10.1.1.1", "10.1.1.2", True),
    ],
)
def test_no_redirect_leads_inwards(base: str, elsewhere: str, followed: bool) -> None:
    """In a network of its own, where these addresses are this machine's."""
    if os.geteuid() != 0 or shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("only root can make a network namespace")
    setup = "ip link set lo up; for a in 10.1.1.1 10.1.1.2 169.254.169.254 100.100.100.200; do ip addr add $a/32 dev lo; done"
    setup += "; ip -6 addr add fd00:ec2::254/128 dev lo nodad"
    command = [
        "unshare",
        "--net",
        "sh",
        "-c",
        f'{setup}; exec "$@"',
        "sh",
        sys.executable,
        "-c",
        ASKING,
        base,
        elsewhere,
    ]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    if done.returncode and "unshare" in done.stderr:
        pytest.skip("no network namespace here")
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    reached = [address for address, *_ in seen["asked"]]
    assert reached[0] == base
    assert (elsewhere in reached) is followed
    assert ("which is the machine of the checks or its platform" in str(seen["answer"])) is not followed
    assert {key for address, _, key in seen["asked"] if address == elsewhere} <= {None}
