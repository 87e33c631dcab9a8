"""Two real hosts for all tests of this folder, and the real suite run against them as an operator would run it."""

from __future__ import annotations

import os
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from rehearsal import machines
from rehearsal.errors import NotAvailable
from rehearsal.machines.host import TestHost

ROOT = Path(__file__).parents[2]
# Figures of the machine that the hosts run on: a busy one is a warning at most, and none of these tests' business.
OF_THE_MACHINE = ("test_cpu_usage", "test_memory_usage", "test_process_resources", "test_api_response_time",
                  "test_cats_response_time", "test_slow_queries")  # fmt: skip
RANK = ("not applicable", "normal", "warning", "alert", "undetermined", "blocked")

EVERYTHING = ("-m", "smoke or daily or weekly or monthly", "-k", "not drill")
# Logs remember what was broken for a day. A fresh API also has a fresh budget of requests: many runs a minute would
# use one up.
FORGET = """
systemctl reset-failed
cat /root/access.log > /var/log/nginx/access.log
journalctl --quiet --rotate
journalctl --quiet --vacuum-size=1K
systemctl restart mycats-backend
until ss -Hltn 'sport = :3004' | grep -q .; do sleep 0.05; done
"""
# The periodic health check would find the faults of these tests, too, whenever it comes by: here, it seldom does.
SELDOM = """
mkdir -p /etc/systemd/system/mycats-health.timer.d
printf '[Timer]\nOnUnitActiveSec=\nOnBootSec=2s\nOnUnitActiveSec=14min\n' \
    > /etc/systemd/system/mycats-health.timer.d/seldom.conf
systemctl daemon-reload
"""


@dataclass(frozen=True)
class Ran:
    """One run: its exit code, its output, and each test's verdict and sentence by its id, `test_disk_usage[app1]`."""

    code: int
    output: str
    verdicts: dict[str, str]
    sentences: dict[str, str]
    seconds: float

    def worse_than(self, before: Ran) -> dict[str, str]:
        """The verdicts that differ for the worse from an earlier run's."""
        assert self.verdicts, self.output
        return {
            name: verdict
            for name, verdict in self.verdicts.items()
            if RANK.index(verdict) > RANK.index(before.verdicts[name])
            and not (verdict == "warning" and name.startswith(OF_THE_MACHINE))
        }

    def named(self, *verdicts: str) -> set[str]:
        """The tests with one of these verdicts."""
        return {
            name
            for name, verdict in self.verdicts.items()
            if verdict in verdicts and not (verdict == "warning" and name.startswith(OF_THE_MACHINE))
        }


Suite = Callable[..., Ran]


@pytest.fixture(scope="session")
def hosts() -> Iterator[Sequence[TestHost]]:
    if reason := machines.available():
        pytest.skip(reason)
    try:
        with machines.running(2) as up:
            for host in up:
                host.run(SELDOM)
            yield up
    except NotAvailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def app1(hosts: Sequence[TestHost]) -> TestHost:
    return hosts[0]


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    """Run the suite on some hosts, from where they are reached. One history per environment, as on a real machine."""
    folders: dict[tuple[str, ...], Path] = {}

    def run(hosts: Sequence[TestHost], *arguments: str, user: str = "root") -> Ran:
        key = (user, *(host.name for host in hosts))
        if key not in folders:
            folders[key] = tmp_path_factory.mktemp("-".join(key))
            machines.environment(hosts, folders[key], user=user)
        folder = folders[key]
        junit, html = folder / "junit.xml", folder / "report.html"
        junit.unlink(missing_ok=True)
        env = {k: v for k, v in os.environ.items() if not k.startswith(("VERIFY_", "PYTEST_", "REHEARSAL_"))}
        files = [f"--env={folder / 'machines.yaml'}", f"--junitxml={junit}", f"--html={html}"]
        began = time.monotonic()
        done = hosts[0].from_control([sys.executable, "-m", "pytest", *files, *arguments], cwd=ROOT, env=env)
        took = time.monotonic() - began
        verdicts, sentences = {}, {}
        for case in ET.parse(junit).iter("testcase") if junit.exists() else ():
            output = {str(p.get("name")): str(p.get("value")) for p in case.iter("property")}
            verdicts[str(case.get("name"))] = output.get("verdict", "")
            sentences[str(case.get("name"))] = output.get("sentence") or output.get("observed", "")
        return Ran(done.returncode, done.stdout + done.stderr, verdicts, sentences, took)

    return run


@pytest.fixture(scope="session")
def healthy(app1: TestHost, suite: Suite) -> Ran:
    """Everything but the drills, on a host that nothing is wrong with."""
    return suite([app1], *EVERYTHING)


@contextmanager
def _broken(host: TestHost, breaking: str, mending: str = "true") -> Iterator[None]:
    host.run("cp -p /var/log/nginx/access.log /root/access.log")
    host.run(breaking)
    try:
        yield
    finally:
        host.run(mending)
        host.run(FORGET)


@pytest.fixture(scope="session")
def broken() -> Callable[..., AbstractContextManager[None]]:
    """Break something on a host by one shell command, and mend it by another."""
    return _broken
