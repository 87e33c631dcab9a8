"""The first environment file of a real host, held against the one that is written by hand; and what never leaves a host."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from opsverify.config.environment import KINDS
from opsverify.discover.difference import identity
from opsverify.discover.seen import QUESTIONS
from opsverify.probes.host.script import compose
from rehearsal import machines
from rehearsal.machines.host import TestHost

from .conftest import ROOT
from .test_untouched import BY_THEMSELVES, files

SECRET = "unmistakable-Q7v9Xw2Lk5Pz8Rt3Ym6Nb1"
PLANTED = f"""
mkdir -p /etc/systemd/system/mycats-worker.service.d /etc/nginx/conf.d
cat > /etc/systemd/system/mycats-worker.service <<'END'
[Service]
Environment=API_KEY={SECRET} "TOKEN={SECRET} and more"
WorkingDirectory=/srv/mycats/backend
ExecStart=/usr/bin/sleep --password={SECRET} -p {SECRET} 5000
[Install]
WantedBy=multi-user.target
END
cat > /srv/mycats/backend/.env <<'END'
JWT_SECRET={SECRET}
export DATABASE_URL="postgresql://u:{SECRET}@h/d"
PRIVATE_KEY="-----BEGIN
ABCDEFGH={SECRET}
{SECRET}=="
END
echo '15 3 * * * root PGPASSWORD={SECRET} /srv/mycats/scripts/backup.sh --key {SECRET} https://u:{SECRET}@h/' > /etc/cron.d/mycats-second
cat > /etc/nginx/conf.d/second.conf <<'END'
upstream other {{ server u:{SECRET}@127.0.0.1:3004; }}
map $http_x_key $allowed {{ default 0; "{SECRET}" 1; }}
server {{
    listen 8081;
    set $key {SECRET};
    if ($http_x = "{SECRET}") {{ return 403 {SECRET}; }}
    location /api/ {{
        proxy_set_header Authorization "Bearer {SECRET}";
        proxy_pass http://user:{SECRET}@other/?token={SECRET};
    }}
}}
END
printf 'services:\\n  api:\\n    image: mycats\\n    environment:\\n      - KEY={SECRET}\\n      JWT_SECRET: {SECRET}\\n' > /srv/mycats/compose.yaml
systemctl daemon-reload
systemctl start mycats-worker
"""
REMOVED = """
systemctl stop mycats-worker
rm -rf /etc/systemd/system/mycats-worker.service* /srv/mycats/backend/.env /etc/cron.d/mycats-second
rm -f /etc/nginx/conf.d/second.conf /srv/mycats/compose.yaml
systemctl daemon-reload
"""


@dataclass(frozen=True)
class Discovered:
    code: int
    said: str
    path: Path

    @property
    def text(self) -> str:
        return self.path.read_text()

    @property
    def tree(self) -> dict[str, Any]:
        result: dict[str, Any] = yaml.safe_load(self.text)
        return result


Discover = Callable[..., Discovered]


@pytest.fixture(scope="session")
def discover(app1: TestHost) -> Discover:
    """Run the command from where the host is reached. Its database and its address are given by `everything`."""
    password = {"MYCATS_MONITOR_PASSWORD": app1.secrets.monitor_password}

    def run(
        path: Path, *sources: str, options: Sequence[str] = (), variables: Mapping[str, str] = password
    ) -> Discovered:
        config = ["--ssh-config", str(app1.ssh_config), "--ca-file", str(app1.authority.file)]
        env = {k: v for k, v in os.environ.items() if not k.startswith(("VERIFY_", "PYTEST_", "MYCATS_"))} | variables
        command = [sys.executable, "-m", "opsverify.discover", *sources, *config, *options, "-o", str(path)]
        done = app1.from_control(command, cwd=ROOT, env=env)
        return Discovered(done.returncode, done.stdout + done.stderr, path)

    return run


@pytest.fixture(scope="session")
def everything(app1: TestHost) -> tuple[str, ...]:
    database = (
        f"postgresql://mycats_monitor@{app1.address}:5432/mycats?sslmode=verify-full&sslrootcert={app1.authority.file}"
    )
    return "ssh://root@app1", f"https://{app1.address}", database


@pytest.fixture(scope="session")
def first(
    app1: TestHost, discover: Discover, everything: Sequence[str], tmp_path_factory: pytest.TempPathFactory
) -> Discovered:
    """The first file, of a host that a first login has been to."""
    path = tmp_path_factory.mktemp("discovered") / "production.yaml"
    app1.from_control(["ssh", "-F", app1.ssh_config, "root@app1", "true"])
    before = files(app1)
    done = discover(path, *everything)
    after = files(app1)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert {name for name in changed if not name.startswith(BY_THEMSELVES)} == set()
    assert done.code == 0, done.said
    return done


def agreeing(found: Mapping[str, Any], by_hand: Mapping[str, Any]) -> tuple[int, list[str]]:
    """How many values of a file by hand another one has, and which it has not. Names of targets are a matter of taste."""
    right, wrong = 0, []
    for kind in KINDS:
        for name, body in by_hand.get(kind, {}).items():
            same = [one for one in found.get(kind, {}).values() if identity(kind, one) == identity(kind, body)]
            for key, value in body.items():
                known = same[0].get(key) if same else None
                if known == value or (same and key in ("dsn", "database")):
                    right += 1
                else:
                    wrong.append(f"{kind}.{name}.{key}: {known!r}, by hand {value!r}")
    return right, wrong


def test_the_first_file_is_right_nearly_everywhere(app1: TestHost, first: Discovered, tmp_path: Path) -> None:
    machines.environment([app1], tmp_path)
    by_hand = yaml.safe_load((tmp_path / "machines.yaml").read_text().replace(f"{tmp_path}/app1-monitor", "password"))
    right, wrong = agreeing(first.tree, by_hand)
    assert right > 70
    assert right / (right + len(wrong)) >= 0.9, wrong
    listed = {(kind, name) for kind in KINDS for name in first.tree.get(kind, {})}
    assert len(listed) == sum(len(by_hand.get(kind, {})) for kind in KINDS)  # and nothing that is not there
    assert "COULD NOT BE READ" not in first.text


def test_a_gate_is_green_once_its_one_missing_line_is_added(app1: TestHost, first: Discovered, tmp_path: Path) -> None:
    """As an operator does it: the line that the comment gives, with an account."""
    line = re.search(r"# +(login: .*)", first.text)
    assert line is not None
    login = line[1].replace("verify@mycats.example.com", "staff1@mycats.example")
    path = tmp_path / "production.yaml"
    path.write_text(first.text.replace("  main:\n", f"  main:\n    {login}\n", 1) + "history: none\n")
    env = {k: v for k, v in os.environ.items() if not k.startswith(("VERIFY_", "PYTEST_"))}
    env |= {
        "MYCATS_LOGIN_PASSWORD": app1.secrets.login_password,
        "MYCATS_MONITOR_PASSWORD": app1.secrets.monitor_password,
    }
    command = [
        sys.executable,
        "-m",
        "pytest",
        f"--env={path}",
        "-m",
        "smoke",
        "-k",
        "not data_intact and not cpu_usage and not memory",
        f"--html={tmp_path / 'r.html'}",
    ]
    done = app1.from_control([*command, f"--junitxml={tmp_path / 'j.xml'}"], cwd=ROOT, env=env)
    assert done.returncode == 0, done.stdout


def test_again_it_agrees(first: Discovered, discover: Discover, everything: Sequence[str]) -> None:
    before = first.text
    again = discover(first.path, *everything)
    assert (again.code, first.text) == (0, before), again.said
    assert "agrees with what there is" in again.said


def test_an_account_without_rights_guesses_what_it_cannot_see(
    first: Discovered, discover: Discover, everything: Sequence[str], tmp_path: Path
) -> None:
    done = discover(tmp_path / "production.yaml", "ssh://monitor@app1", *everything[1:])
    assert done.code == 0, done.said
    assert done.tree["services"] == first.tree["services"]
    assert "GUESS: nginx sends requests there, and this account cannot see whose the port is" in done.text
    assert done.tree["checks"]["access-rights"]["settings"]["login_accounts"] == ["root", "monitor"]


@contextmanager
def changed(host: TestHost, change: str, back: str) -> Iterator[None]:
    host.run(change)
    try:
        yield
    finally:
        host.run(back)


def test_what_could_not_be_read_is_never_excused(
    app1: TestHost, discover: Discover, everything: Sequence[str], tmp_path: Path
) -> None:
    with changed(app1, "chmod 0700 /srv/mycats /backup/mycats", "chmod 0755 /srv/mycats; chmod 0750 /backup/mycats"):
        done = discover(tmp_path / "production.yaml", "ssh://monitor@app1", *everything[1:])
    assert done.code == 0, done.said
    assert {"releases", "alerts", "documents", "folders", "backups"} <= done.tree.keys()
    assert "not_applicable" not in done.tree
    hidden = re.findall(r"(\w+)\.\S+", " ".join(re.findall(r"could not be read: (.*?): ", done.said)))
    assert {"releases", "alerts", "documents", "folders", "backups"} <= set(hidden)
    assert "/srv/mycats on app1" in done.said and "/backup/mycats on app1" in done.said
    with changed(app1, "chmod 0700 /srv/mycats/scripts /etc/cron.d", "chmod 0755 /srv/mycats/scripts /etc/cron.d"):
        done = discover(tmp_path / "staging.yaml", "ssh://monitor@app1", *everything[1:])
    assert "not_applicable" not in done.tree
    assert re.findall(r"could not be read: (.*?): ", done.said) == ["jobs.backup", "alerts.alerts"]
    assert "/etc/cron.d on app1" in done.said and "/srv/mycats/scripts on app1" in done.said


def test_what_is_not_there_is_excused_with_where_it_was_looked_for(
    app1: TestHost, discover: Discover, everything: Sequence[str], tmp_path: Path
) -> None:
    path = tmp_path / "production.yaml"
    with changed(app1, "mkdir -p /root/kept; mv /srv/mycats/scripts/send-alert.sh /etc/cron.d/mycats-backup /root/kept",
                 "mv /root/kept/send-alert.sh /srv/mycats/scripts/; mv /root/kept/mycats-backup /etc/cron.d/; rm -r /root/kept"):  # fmt: skip
        done = discover(path, *everything)
    assert done.code == 0, done.said
    assert re.fullmatch(
        r"none was found on app1 \(\d{4}-\d\d-\d\d: the checkouts\)", done.tree["not_applicable"]["alerts"]
    )
    assert [job["role"] for job in done.tree["jobs"].values()] == ["health-check"]
    again = discover(path, *everything)
    assert (again.code, done.text) == (1, path.read_text())
    assert "+ alerts.alerts: not in the file" in again.said and "not_applicable.alerts" in again.said
    written = discover(path, *everything, options=["--write"])
    assert written.code == 0, written.said
    assert "not_applicable" not in written.tree and {"alerts", "jobs"} <= written.tree.keys()


def test_a_change_is_told_and_the_operators_own_words_stay(
    app1: TestHost, first: Discovered, discover: Discover, everything: Sequence[str], tmp_path: Path
) -> None:
    path = tmp_path / "production.yaml"
    ours = first.text.replace("    port: 3004\n", "    port: 3999 # behind the old proxy\n").replace(
        "  nginx:\n", "  edge: # ours\n"
    )
    ours = ours.replace("alerts:\n", "# Nobody but us.\nalerts:\n", 1) + "run_seconds: 600\n"
    path.write_text(ours)
    timer = "/etc/systemd/system/mycats-cleanup"
    made = f"printf '[Service]\\nExecStart=/bin/true\\n' > {timer}.service; printf '[Timer]\\nOnCalendar=weekly\\n[Install]\\nWantedBy=timers.target\\n' > {timer}.timer; systemctl daemon-reload; systemctl start mycats-cleanup.timer"
    with changed(app1, made, f"systemctl stop mycats-cleanup.timer; rm {timer}.*; systemctl daemon-reload"):
        told = discover(path, *everything)
        assert (told.code, path.read_text()) == (1, ours), told.said
        assert "~ services.backend.port: the file says 3999, found 3004" in told.said
        assert "+ jobs.maintenance: not in the file; found: timer mycats-cleanup.timer, runs true" in told.said
        assert discover(path, *everything, options=["--write"]).code == 0
        text = path.read_text()
        assert "    port: 3004 # behind the old proxy\n" in text and "  edge: # ours\n" in text
        assert "# Nobody but us.\nalerts:\n" in text and text.endswith("run_seconds: 600\n")
        added = [line for line in text.splitlines() if line not in ours.splitlines()]
        assert added[0] == "    port: 3004 # behind the old proxy" and "    timer: mycats-cleanup.timer" in added
        assert len(added) == 5
    gone = discover(path, *everything, options=["--write"])
    assert gone.code == 1, gone.said
    assert "- jobs.maintenance: in the file, but not found: app1 has no unit mycats-cleanup.timer" in gone.said
    assert "mycats-cleanup.timer" in path.read_text()  # a run judges it


def test_a_dead_host_costs_only_itself(discover: Discover, everything: Sequence[str], tmp_path: Path) -> None:
    done = discover(tmp_path / "production.yaml", *everything, "ssh://root@app1:2222")
    assert done.code == 3
    assert done.said.count("connection refused") == done.said.count(":2222") == 1
    assert "not looked at: ssh://root@app1:2222: connection refused" in done.said
    assert set(done.tree["hosts"]) == {"app1", "app1-2"}
    assert done.tree["services"]["backend-app1"]["unit"] == "mycats-backend"


def test_no_secret_leaves_a_host(app1: TestHost, discover: Discover, everything: Sequence[str], tmp_path: Path) -> None:
    with changed(app1, PLANTED, REMOVED):
        script = compose(QUESTIONS, 30.0).text
        wire = app1.run("sh -s", input=script).stdout
        password = f"p%40{SECRET}"
        given = everything[2].replace("monitor@", f"monitor:{password}@")
        done = discover(tmp_path / "production.yaml", *everything[:2], given, variables={})
    assert "mycats-worker" in wire and "/etc/cron.d/mycats-second" in wire and "second.conf" in wire
    assert "JWT_SECRET" in wire and "DATABASE_URL" in wire  # names are no secrets
    assert SECRET not in wire and "ABCDEFGH" not in wire
    assert done.code == 3  # the database does not take that password
    assert "mycats-worker" in done.text and "JWT_SECRET" in done.text
    assert SECRET not in done.text + done.said
    assert "${MYCATS_MONITOR_PASSWORD}" in done.text and "process list" in done.said


def test_it_is_told_where_it_can_be_run(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "opsverify.discover", "local://"], cwd=tmp_path, capture_output=True, text=True,
                          check=False, env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
