"""Before a run: the plan, which contacts nothing, and the page of a check."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache

import pytest

from opsverify.config.loading import load_items
from opsverify.facts.registry import FACTS
from opsverify.plugin.ahead import specimen
from opsverify.plugin.ahead.scripts import sent, statements
from opsverify.probes.host.question import Question
from opsverify.probes.postgres.connect import Connect
from opsverify.probes.postgres.key_usage import KeyUsage
from opsverify.reporting.terminal import columns
from opsverify.reporting.traceability import read_checks

from .conftest import ROOT, Outcome, Project

ITEMS = load_items(ROOT / "checks" / "runbook.yaml")
PASSWORD = "pl4nted-S3cret-of-a-plan"
WATCH = """
import sys
def _told(event, arguments):
    if event in ("subprocess.Popen", "os.fork", "os.exec", "os.posix_spawn", "os.system", "socket.connect",
                 "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        if arguments[:1] != ("uname",):  # pytest-metadata asks it what this machine is
            print("CONTACT", event, arguments)
sys.addaudithook(_told)
"""


@dataclass
class Listener:
    """Something that could be contacted. `heard`: how often it was, also by libraries that are no Python."""

    socket: socket.socket
    heard: list[object] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def listen(self) -> None:
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            self.heard.append(peer.getpeername())
            peer.close()


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        one = Listener(server)
        threading.Thread(target=one.listen, daemon=True).start()
        yield one
        server.shutdown(socket.SHUT_RDWR)


def everything(port: int) -> str:
    """An environment in which every target is that listener."""
    return f"""
apis: {{main: {{url: 'http://127.0.0.1:{port}', login: {{username: verify@example.com, password: "${{API_PASSWORD}}"}}}}}}
frontends: {{main: {{url: 'http://127.0.0.1:{port}'}}}}
databases: {{primary: {{dsn: "postgresql://watcher:${{DB_PASSWORD}}@127.0.0.1:{port}/mycats"}}}}
hosts: {{app1: {{connection: 'ssh://monitor@127.0.0.1:{port}?sudo=true', deadline: 3}}, here: {{connection: 'local://'}}}}
services:
  backend: {{host: app1, role: backend, unit: mycats-backend, env_files: [/srv/mycats/backend/.env]}}
  frontend: {{host: app1, role: frontend, unit: mycats-frontend}}
  postgresql: {{host: app1, role: database, unit: postgresql}}
logs: {{application: {{host: app1, holds: application, path: /srv/mycats/backend/backend.log}}}}
certificates: {{public: {{address: 127.0.0.1, port: {port}}}}}
checks: {{disk-usage: {{band: {{below: 85}}, severity: P1}}}}
"""


SECRETS = {"API_PASSWORD": PASSWORD, "DB_PASSWORD": PASSWORD}
EXCUSED = (
    "access-log-server-errors",
    "access-log-client-errors",
    "unauthorized-access",
    "abnormal-api-calls",
    "audit-log",
)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory, listener: Listener) -> Project:
    project = Project(tmp_path_factory.mktemp("planned"))
    project.environment("here", everything(listener.port), excuse=EXCUSED)
    conftest = project.folder / "conftest.py"
    conftest.write_text(WATCH + conftest.read_text())
    return project


@pytest.fixture(scope="module")
def plan(planned: Project) -> Callable[..., Outcome]:
    """A plan with these arguments, made once."""

    @cache
    def made(*arguments: str) -> Outcome:
        return planned.run("--env", "here", "--plan", *arguments, **SECRETS)

    return made


Plan = Callable[..., Outcome]


def test_a_plan_contacts_nothing_and_leaves_nothing(planned: Project, plan: Plan, listener: Listener) -> None:
    done = plan()
    assert done.code == 0, done.output
    assert "CONTACT" not in done.output
    assert listener.heard == []
    assert not (planned.folder / "reports").exists()
    assert PASSWORD not in done.output
    # And what would have told of a contact does so.
    asked = planned.run("--env", "here", "--preflight", "-k", "app1 or primary or public", **SECRETS)
    assert "CONTACT" in asked.output
    assert len(listener.heard) >= 3


def test_a_plan_says_who_asks_what_by_which_right_and_what_for(planned: Project, plan: Plan) -> None:
    output = plan().output
    blocks = {block.splitlines()[0].partition(": ")[0]: block for block in output.strip().split("\n\n")}
    host = blocks["host app1"]
    assert "account: monitor, by sudo root" in host
    assert (
        "    JournalErrors: mycats-backend\n"
        "      needs: membership in systemd-journal (or adm): without, only one's own\n"
        "        entries show, which is MissingPrivilege\n"
        "      decides: service-journal-errors, system-log-errors\n"
    ) in host
    assert "/srv/mycats/backend/.env" in host
    assert "account: watcher" in blocks["database primary"]
    assert "needs: pg_stat_statements, installed and loaded" in blocks["database primary"]
    assert "account: verify@example.com" in blocks["api main"]
    assert "account: none" in blocks["certificate public"]
    assert "-m stopped" in output
    assert max(columns(line) for line in output.splitlines()) <= 80
    assert output == planned.run("--env", "here", "--plan", **SECRETS).output


def test_a_plan_is_of_the_checks_that_the_run_would_judge(plan: Plan) -> None:
    smoke = plan("-m", "smoke", "-k", "app1", "-n", "2").output
    assert "Memory\n" in smoke
    assert "host here" not in smoke
    assert "JournalErrors" not in smoke
    assert plan("-k", "no_such_check").code == 4
    japanese = plan("--language", "ja").output
    assert "どこにも接続していません" in japanese
    assert "必要な権限" in japanese
    assert max(columns(line) for line in japanese.splitlines()) <= 80


def test_a_plan_takes_no_report_of_an_earlier_run_away(planned: Project, plan: Plan) -> None:
    report = planned.folder / "reports" / "here" / "report.html"
    report.parent.mkdir(parents=True)
    report.write_text("of yesterday")
    mine = planned.folder / "mine.html"
    assert plan(f"--html={mine}", f"--junit-xml={mine}", "-k", "memory").code == 0
    assert report.read_text() == "of yesterday"
    assert not mine.exists()


def test_a_plan_of_a_fleet_is_one_block(project: Project) -> None:
    fleet = "hosts: {web: {connection: 'ssh://monitor@web[001:250]'}, db: {connection: 'ssh://root@db'}}\n"
    project.environment("here", fleet)
    output = project.run("--env", "here", "--plan", "-k", "memory_usage").output
    assert "hosts: 250 alike: web001-web250" in output
    assert output.count("account: ") == 2


def test_a_plan_of_a_wrong_file_is_refused(planned: Project) -> None:
    done = planned.run("--env", "here", "--plan")
    assert done.code == 4
    assert "databases.primary.dsn: found ${DB_PASSWORD} but DB_PASSWORD is not set" in done.output


def test_looking_ahead_is_one_thing_at_a_time(planned: Project, plan: Plan) -> None:
    done = plan("--preflight")
    assert done.code == 4
    assert "--plan and --preflight: found together" in done.output
    broken = planned.run("--env", "rehearsal", "--plan", "--fault", "database-down")
    assert broken.code == 4
    assert "--plan: found --fault" in broken.output


def test_every_check_is_explained_without_an_environment(project: Project) -> None:
    done = project.run(*(f"--explain={check}" for check in ITEMS))
    assert done.code == 0, done.output[-2000:]
    pages = done.output.split("\n\n")
    for check, item in ITEMS.items():
        assert any(page.startswith(f"{check}: ") for page in pages), check
        assert str(item.band or "none: it answers yes or no") in done.output
    assert done.output.count("What it asks") == done.output.count("Faults that turn it") == len(ITEMS)
    assert "none is known" not in done.output
    assert "none here" not in done.output


def test_every_question_shows_what_it_sends() -> None:
    """All shell, and all SQL but what is built from the answers, for every fact of every check."""
    environment, shown = specimen.environment(), 0
    for check in read_checks(ROOT / "checks", ITEMS):
        for name in check.arguments:
            if fact := FACTS.get(name):
                targets = [t for t in getattr(environment, fact.kind).values() if not fact.where or fact.where(t)]
                assert targets, name
                for query in fact.queries(environment, targets[0], ITEMS[check.item].settings):
                    asks = isinstance(query.question, Question) or hasattr(query.question, "steps")
                    if asks and not isinstance(query.question, Connect):  # which is answered by connecting
                        pieces = [piece for piece in sent(query.question) if not piece.name.startswith("$")]
                        assert pieces, query
                        assert all(piece.text for piece in pieces), query
                        shown += 1
    assert shown > 60
    assert len(statements(KeyUsage())) == 3


def test_a_page_says_all_of_a_check_in_this_environment(planned: Project, listener: Listener) -> None:
    path = planned.folder / "environments" / "waived.yaml"
    waiver = "waivers: [{check: disk-usage, target: app1, owner: us, reason: a new disk, expires: 2999-01-01}]\n"
    path.write_text((planned.folder / "environments" / "here.yaml").read_text() + waiver)
    judged = planned.run("--env", "waived", "-k", "disk_usage and here", "--fail-on", "P1", **SECRETS)
    assert judged.cases, judged.output
    heard = len(listener.heard)
    done = planned.run("--env", "waived", "--explain", "test_disk_usage[here]", **SECRETS)
    assert done.code == 0, done.output
    number = next(n for n, line in enumerate(path.read_text().splitlines(), 1) if line.startswith("checks:"))
    runbook = (planned.folder / "checks/runbook.yaml").read_text().splitlines()
    default = next(n for n, line in enumerate(runbook, 1) if n > runbook.index("disk-usage:") and "band:" in line)
    for needle in (
        "disk-usage: Every file system that is written to keeps room to grow",
        "Chapter: MON",
        "Schedule: smoke",
        f"Limits: < 80 % (alert > 90 %) (checks/runbook.yaml, line {default})",
        f"waived: band.below = 85.0 (environments/waived.yaml, line {number})",
        f"waived: severity = P1 (environments/waived.yaml, line {number})",
        "waived: Limits: < 85 % (alert > 90 %)",
        "of hosts: app1, here",
        "sends opsverify/probes/host/system/filesystems.sh:",
        "disk-full: ",
        "du -xh",
        "waived [app1] by us until 2999-01-01: a new disk",
    ):
        assert needle in done.output, needle
    last = done.output.partition("last results:")[2]
    assert "here: " in last
    assert " on 20" in last
    assert "CONTACT" not in done.output
    assert len(listener.heard) == heard
    assert max(columns(line) for line in done.output.splitlines() if not line.startswith("      ")) <= 80
    japanese = planned.run("--env", "here", "--explain", "slow-queries", "--language", "ja", **SECRETS)
    assert "手順書の章: PERF" in japanese.output
    assert "SELECT" in japanese.output


def test_a_page_needs_no_secrets_and_leaves_out_what_is_wrong(planned: Project) -> None:
    done = planned.run("--env", "here", "--explain", "slow-queries")  # no variable is set
    assert done.code == 0, done.output
    assert "of databases: primary" in done.output
    assert "has mistakes" not in done.output
    wrong = planned.folder / "environments" / "wrong.yaml"
    text = (planned.folder / "environments" / "here.yaml").read_text().replace("local://", "telnet://")
    wrong.write_text(text + "colour: red\n")
    done = planned.run("--env", "wrong", "--explain", "disk-usage")
    assert done.code == 0, done.output
    assert "of hosts: app1, here\n" in done.output
    assert "wrong: Limits: < 85 %" in done.output
    assert "has mistakes, and is shown without what is wrong" in " ".join(done.output.split())
    wrong.write_text("[")
    done = planned.run("--env", "wrong", "--explain", "disk-usage")
    assert (done.code, "Traceback" in done.output) == (4, False), done.output
    assert "wrong.yaml, line 2" in done.output


def test_a_misspelt_check_is_a_usage_error_that_suggests_several(project: Project) -> None:
    done = project.run("--explain", "disk-usge", "--explain", "sql")
    assert done.code == 4
    assert "found 'disk-usge'" in done.output
    assert "disk-usage or inode-usage or disk-forecast" in done.output
    assert "postgres-server-version" in done.output
    unlike = project.run("--explain", "zzzz")
    assert unlike.code == 4
    assert "allowed the id of a check; --traceability" in unlike.output
