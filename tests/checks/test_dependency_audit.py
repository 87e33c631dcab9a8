"""dependency-audit with the real tools, against a registry of the test's own on loopback."""

from __future__ import annotations

import gzip
import json
import shutil
import socket
from http.server import BaseHTTPRequestHandler

import pytest

from tests.plugin.conftest import serve  # noqa: F401 - a fixture

CHECK = "test_dependency_audit[main]"
MINIMIST = {
    "id": 1097678,
    "url": "https://github.com/advisories/GHSA-xvch-5gv4-984h",
    "title": "Prototype Pollution in minimist",
    "vulnerable_versions": "<1.2.6",
}
PACKAGE = {"name": "mycats", "version": "1.0.0", "dependencies": {"minimist": "1.2.5"}}
NPM_LOCK = {
    "name": "mycats",
    "version": "1.0.0",
    "lockfileVersion": 3,
    "requires": True,
    "packages": {"": PACKAGE, "node_modules/minimist": {"version": "1.2.5"}},
}
PNPM_LOCK = """\
lockfileVersion: '9.0'

settings:
  autoInstallPeers: true
  excludeLinksFromLockfile: false

importers:

  .:
    dependencies:
      minimist:
        specifier: 1.2.5
        version: 1.2.5

packages:

  minimist@1.2.5:
    resolution: {integrity: sha512-FM9nNUYrRBAELZQT3xeZQ7fmMOBg6nWNmJKTcgsJeaLstP/UODVpGsr5OhXhhXg6f+qtJ8uiZ==}

snapshots:

  minimist@1.2.5: {}
"""


def registry(severity):
    """A registry that knows one vulnerability of this severity; none: that refuses audits."""

    class Registry(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            result = severity not in (None, "nothing") and b"minimist" in asked
            advisory = {**MINIMIST, "severity": severity}
            if self.path.endswith("/bulk"):
                answer = {"minimist": [advisory]} if result else {}
            else:
                more = {"module_name": "minimist", "findings": [{"version": "1.2.5", "paths": []}]}
                counts = dict.fromkeys(("info", "low", "moderate", "high", "critical"), 0)
                counts |= {severity: 1} if result else {}
                listed = {str(advisory["id"]): {**advisory, **more}} if result else {}
                answer = {"actions": [], "muted": [], "advisories": listed, "metadata": {"vulnerabilities": counts}}
            self.answer(200 if severity else 405, answer)

        def do_GET(self):
            self.answer(404, {})

        def answer(self, status, value):
            data = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    return Registry


@pytest.fixture(params=["npm", "pnpm"])
def tool(request):
    """A tool that audits. pnpm is not everywhere: what it says is also recorded for the parser's tests."""
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return request.param


@pytest.fixture
def audit(project, tmp_path):
    """Audit a checkout whose lock file is of `tool`, with that registry; gives back the result and what was printed."""

    def run(tool, registry, seconds=20, npmrc="", **variables):
        checkout = tmp_path / "mycats"
        checkout.mkdir()
        (checkout / ".npmrc").write_text(npmrc)
        (checkout / "package.json").write_text(json.dumps(PACKAGE))
        if tool == "npm":
            (checkout / "package-lock.json").write_text(json.dumps(NPM_LOCK))
        elif tool == "pnpm":
            (checkout / "pnpm-lock.yaml").write_text(PNPM_LOCK)
        project.environment(
            "here",
            "hosts:\n  app: {}\n"
            "databases:\n  main: {dsn: 'postgresql://localhost/mycats'}\n"
            f"releases:\n  main: {{host: app, path: {checkout}, database: main}}\n"
            f"checks:\n  dependency-audit:\n    settings: {{timeout_seconds: {seconds}}}\n",
        )
        before = {path.name for path in checkout.iterdir()}
        outcome = project.run(
            "--env", "here", "--history=none", "checks/test_security.py", "-k", "test_dependency_audit",
            npm_config_registry=registry, pnpm_config_registry=registry, npm_config_cache=str(tmp_path / "cache"),
            **variables,
        )  # fmt: skip
        assert {path.name for path in checkout.iterdir()} == before
        return outcome.properties(CHECK), outcome

    return run


@pytest.mark.parametrize(
    ("severity", "verdict"),
    [("nothing", "normal"), ("low", "normal"), ("moderate", "warning"), ("high", "alert"), ("critical", "alert")],
)
def test_vulnerability_of_each_severity(audit, serve, tool, severity, verdict):  # noqa: F811
    seen, _ = audit(tool, serve(registry(severity)))
    assert seen["verdict"] == verdict
    assert f"by {tool} audit" in seen["observed"]
    if verdict in ("warning", "alert"):
        assert f"1 {severity}" in seen["sentence"]
        assert "minimist" in seen["sentence"]


def test_checkout_that_says_it_is_offline_is_audited_all_the_same(audit, serve, tool):  # noqa: F811
    seen, _ = audit(tool, serve(registry("critical")), npmrc="offline=true\nprefer-offline=true\n")
    assert seen["verdict"] == "alert"


def test_registry_that_refuses_audits_is_no_pass(audit, serve, tool):  # noqa: F811
    seen, outcome = audit(tool, serve(registry(None)))
    assert seen["verdict"] == "undetermined"
    assert f"{tool} could not run it (" in seen["sentence"]
    assert "405" in seen["sentence"]
    assert outcome.code == 1


def test_registry_that_never_answers_is_given_up(audit, tool):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        seen, _ = audit(tool, f"http://127.0.0.1:{silent.getsockname()[1]}", seconds=2)
    assert seen["verdict"] == "undetermined"
    assert f"{tool} had no answer in 2 s" in seen["sentence"]


def test_checkout_whose_tool_is_not_installed(audit):
    if any(shutil.which("pnpm", path=path) for path in ("/usr/local/bin", "/usr/bin", "/bin")):
        pytest.skip("pnpm is installed")
    seen, _ = audit("pnpm", "http://127.0.0.1:9", PATH="/usr/bin:/bin")
    assert seen["verdict"] == "undetermined"
    assert "its lock file is of pnpm, which this account does not find on the host" in seen["sentence"]


def test_checkout_without_lock_file(audit):
    seen, _ = audit("none", "http://127.0.0.1:9")
    assert seen["verdict"] == "undetermined"
    assert "there is no pnpm-lock.yaml or package-lock.json" in seen["sentence"]
