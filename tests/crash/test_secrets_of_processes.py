"""What other accounts of this machine, and programs that we start, can see of our secrets: nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from opsverify.config import child_environment
from opsverify.config.environment import KINDS
from opsverify.config.loading import load_environment, load_items
from opsverify.evidence.deadline import Deadline
from opsverify.probes.host.connection import connect
from tests.crash.conftest import Place
from tests.pace import AMPLE
from tests.plugin.conftest import ROOT

PASSWORD = "s3cret-0f-pr0duction"
FILE = """
hosts: {here: {connection: 'local://'}}
databases: {main: {dsn: '${PG_DSN}'}}
not_applicable: {%s}
"""


@pytest.fixture
def _nothing_withheld(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_environment, "_withheld", set())


def seen(host) -> str:
    """The environments of all processes that a script to this machine goes through."""
    script = 'p=$$; while [ "$p" -gt 1 ]; do [ "$p" = "$1" ] && break; tr "\\0" "\\n" < /proc/$p/environ; '
    script += 'p=$(sed -n "s/^PPid:[[:space:]]*//p" /proc/$p/status); done'
    done = connect(host).run(f"set -- {os.getpid()}\n{script}\n", Deadline(AMPLE))
    return done.output.decode()


@pytest.mark.usefixtures("_nothing_withheld")
def test_programs_that_we_start_get_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_DSN", f"postgresql://m:{PASSWORD}@127.0.0.1/cats")
    monkeypatch.setenv("PG_PASSWORD", PASSWORD)
    monkeypatch.setenv("OF_NO_SECRET", "to be seen")
    file = tmp_path / "production.yaml"
    file.write_text(
        FILE % ", ".join(f"{kind}: none here" for kind in KINDS if kind not in ("hosts", "databases", "names"))
    )
    host = load_environment(file, load_items(ROOT / "checks/runbook.yaml")).environment.hosts["here"]
    environments = seen(host)
    assert "OF_NO_SECRET=to be seen" in environments
    assert "PATH=" in environments
    assert PASSWORD not in environments


@pytest.mark.usefixtures("_nothing_withheld")
def test_what_programs_need_is_kept_whatever_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    child_environment.withhold(["postgres", "/usr/bin", "x", ""])
    monkeypatch.setenv("PATH", "/usr/bin:/usr/lib/postgresql/15/bin")
    monkeypatch.setenv("SHORT", "x")
    monkeypatch.setenv("LONGER", "xy")
    kept = child_environment.child_environment()
    assert kept["PATH"] == os.environ["PATH"]
    assert "SHORT" not in kept
    assert kept["LONGER"] == "xy"


def test_no_argument_of_any_process_holds_a_secret_while_a_run_lasts(attached: Place) -> None:
    variables = attached.whole.variables()
    secrets = [value.encode() for name, value in variables.items() if "PASSWORD" in name or "TOKEN" in name]
    secrets += [variables[name].partition("://")[2].encode() for name in variables if name.endswith("_DSN")]
    assert len(secrets) > 4
    child = attached.start("-m", "smoke or daily", "-n", "2")
    looks, holders = 0, set()
    while child.poll() is None:
        looks += 1
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                arguments = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            holders |= {arguments for secret in secrets if secret in arguments}
    assert looks > 5
    assert holders == set()
