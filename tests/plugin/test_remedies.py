"""From what a probe says it lacks to the command that grants it: no sentence of theirs goes without."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsverify.plugin.ahead.remedies import Lack, Whom, remedy
from opsverify.probes.host.causes import explain
from opsverify.probes.postgres.refusals import why_not_connected

from .conftest import ROOT

WHOM = Whom(
    host="app1",
    connection="ssh://monitor@app1.example.com:2222?sudo=false",
    account="monitor",
    unit="mycats-backend",
    server="prod-db:5432",
    database="mycats",
    role="watcher",
)
LACKING = re.compile(
    r"may not (?:be )?(?:read|list|see|search|looked|seen|executed)|cannot see|\((?:GRANT|CREATE) |add it to the group|"
    r"sees only its own|\(root may\)|lacks a privilege|grant it|not installed on the host|does not find on the host"
)
"""What a sentence says that tells of something missing."""
PATHS = ("path", "folder", "places", "denied", "unreadable", "rest", "checkout_path", "title", "newest", "file", "name")


def sentences() -> Iterator[tuple[str, str]]:
    """Every sentence of the probes, the drills and the checks that tells of something missing, and where it is."""
    for folder in ("opsverify/probes", "opsverify/drills", "checks"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            tree = ast.parse(file.read_text())
            strings = [node for node in ast.walk(tree) if isinstance(node, (ast.JoinedStr, ast.Constant))]
            docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            inner = {id(part) for node in strings if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
            for node in strings:
                if id(node) in docs or (isinstance(node, ast.Constant) and id(node) in inner):
                    continue
                text = written(node)
                if LACKING.search(text) and len(text) > 40:
                    yield f"{file.relative_to(ROOT)}:{node.lineno}", text


def written(node: ast.expr) -> str:
    """An f-string with something plausible in the place of each value."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    parts = []
    for part in node.values if isinstance(node, ast.JoinedStr) else ():
        if isinstance(part, ast.Constant):
            parts.append(str(part.value))
        elif isinstance(part, ast.FormattedValue):
            named = ast.unparse(part.value)
            role = "role" in named or "shown" in named
            parts.append("watcher" if role else "/srv/mycats/file" if any(p in named for p in PATHS) else "it")
    return "".join(parts).replace("lock file is of /srv/mycats/file", "lock file is of pnpm")


@pytest.mark.parametrize(("place", "sentence"), sorted(sentences()), ids=lambda value: value[:60])
def test_every_sentence_of_what_is_missing_has_a_command(place: str, sentence: str) -> None:
    found = remedy(sentence, WHOM)
    assert found.lack in (Lack.PRIVILEGE, Lack.EXTENSION, Lack.PROGRAM), (place, sentence)
    assert found.commands, (place, sentence)
    assert found.by, (place, sentence)
    for command in found.commands:
        assert subprocess.run(["sh", "-n", "-c", command], check=False).returncode == 0, command
        assert "…" not in command
        assert not re.search(r"<account>|<database>", command), command


def test_there_are_many_of_them() -> None:
    assert len(dict(sentences())) > 30


@pytest.mark.parametrize(
    ("said", "by", "command"),
    [
        ("the journal of x may not be read by this account: add it to the group systemd-journal",
         "as root on app1", "usermod -aG systemd-journal monitor"),
        ("/var/log/nginx/access.log may not be read by this account: let its group read it",
         "as root on app1", "usermod -aG adm monitor"),
        ("the backups in /backup could not be determined: this account may not read /backup/my.cats",
         "as root on app1", 'g=$(stat -c %G /backup/my.cats) && [ "$g" != root ] && usermod -aG "$g" monitor && '
         "chmod g+rX /backup/my.cats"),
        ("PrismaClient could not be determined: cat: /srv/mycats/schema.prisma: Permission denied",
         "as root on app1", 'g=$(stat -c %G /srv/mycats/schema.prisma) && [ "$g" != root ] && usermod -aG "$g" monitor '
         "&& chmod g+rX /srv/mycats/schema.prisma"),
        ("it could not be determined: git is not installed on the host", "as root on app1", "apt-get install -y git"),
        ("it could not be determined: sh: 3: zstd: not found", "as root on app1", "apt-get install -y zstd"),
        ("the extension pg_stat_statements is not installed in this database (CREATE EXTENSION pg_stat_statements)",
         "as a superuser of prod-db:5432", "psql -d mycats -c 'CREATE EXTENSION pg_stat_statements'"),
        ("role watcher may not read pg_hba.conf's rules (GRANT SELECT ON pg_hba_file_rules TO watcher; GRANT EXECUTE ON "
         "FUNCTION pg_hba_file_rules() TO watcher)", "as a superuser of prod-db:5432",
         "psql -d mycats -c 'GRANT EXECUTE ON FUNCTION pg_hba_file_rules() TO watcher'"),
    ],
)  # fmt: skip
def test_the_command_is_the_one_that_grants_it(said: str, by: str, command: str) -> None:
    found = remedy(said, WHOM)
    assert found.by == by
    assert command in found.commands


def test_a_list_of_grants_that_was_cut_becomes_the_script() -> None:
    found = remedy("role watcher may not read what is asked for (GRANT SELECT ON public.a, publi…", WHOM)
    assert found.commands == (
        "PGOPTIONS='-c opsverify.role=watcher' psql -d mycats -f opsverify/sql/monitoring-role.sql",
    )


@pytest.mark.parametrize(
    ("refusal", "lack"),
    [
        ('FATAL:  password authentication failed for user "watcher"', Lack.LOGIN),
        ("fe_sendauth: no password supplied", Lack.LOGIN),
        ('no pg_hba.conf entry for host "10.0.0.9", user "watcher", database "mycats"', Lack.PRIVILEGE),
        ('FATAL:  role "watcher" does not exist', Lack.PRIVILEGE),
        ('FATAL:  role "watcher" is not permitted to log in', Lack.PRIVILEGE),
        ('FATAL:  permission denied for database "mycats"', Lack.PRIVILEGE),
        ("connection to server failed: Connection refused", Lack.UNREACHABLE),
    ],
)
def test_what_a_server_refuses_is_told_apart(refusal: str, lack: Lack) -> None:
    sentence = why_not_connected(refusal, "watcher", "mycats", False, [])
    found = remedy(sentence, WHOM, unreachable=True)
    assert found.lack is lack, sentence
    assert found.commands


@pytest.mark.parametrize(
    ("said", "lack"),
    [
        ("monitor@app1: Permission denied (publickey).", Lack.UNREACHABLE),
        ("ssh: connect to host app1 port 22: Connection refused", Lack.UNREACHABLE),
        ("sudo: a password is required", Lack.PRIVILEGE),
        ("permission denied while trying to connect to the Docker daemon socket", Lack.PRIVILEGE),
        ("sh: 1: exec: docker: not found", Lack.PROGRAM),
    ],
)
def test_what_a_host_refuses_is_told_apart(said: str, lack: Lack) -> None:
    error = explain(said)
    found = remedy(str(error), WHOM, unreachable=True)
    assert found.lack is lack, str(error)


@pytest.mark.parametrize(
    "name", ["$(reboot)", "x;reboot", "x && reboot", "`reboot`", "x|reboot", "x\nreboot", "'reboot'"]
)
def test_nothing_that_a_target_calls_its_files_is_run(name: str) -> None:
    for end in ("may not be read by this account: let its group read it", "may not be looked for by this account"):
        for command in remedy(f"/srv/{name} {end}", WHOM).commands:
            fake = (
                'for c in stat usermod chmod visudo systemctl; do eval "$c() { echo; }"; done; reboot() { echo RUN; }; '
            )
            done = subprocess.run(["sh", "-c", fake + command], capture_output=True, text=True, check=False)
            assert "RUN" not in done.stdout + done.stderr, command


def test_the_way_by_the_group_grants_nothing_where_the_group_is_root(tmp_path: Path) -> None:
    """Run for real, with the programs that would change accounts replaced by ones that say so."""
    file = tmp_path / "secret"
    file.touch()
    (command,) = remedy(f"{file} may not be read by this account: let its group read it", WHOM).commands
    for group, granted in (("root", ""), ("mycats", f"usermod -aG mycats monitor chmod g+r {file} ")):
        fake = f'stat() {{ echo {group}; }}; usermod() {{ printf "usermod $* "; }}; chmod() {{ printf "chmod $* "; }}; '
        done = subprocess.run(["sh", "-c", fake + command], capture_output=True, text=True, check=False)
        assert done.stdout == granted
