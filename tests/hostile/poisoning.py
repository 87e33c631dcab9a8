"""Plants poison in everything of a rehearsal that a report may quote."""

from __future__ import annotations

import io
import json
import os
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg import sql

from rehearsal.parts.logs import shell_date
from rehearsal.parts.postgres import ADMIN, OWNER
from rehearsal.whole import Rehearsal
from tests.hostile.poison import SCRIPT, poison

MOST_OF_A_NAME = 250
"""Bytes of a file's name."""


def file_name(field: str, before: str = "", after: str = "") -> bytes:
    """A file's name: everything but a slash, a line of its own that looks like our frames, and half a character."""
    text = poison(field, lines=True).replace("/", "∕").encode("utf-8", "surrogateescape").replace(b"\0", b"")
    # The end of the attack is as important as its beginning.
    room = MOST_OF_A_NAME - len(before) - len(after) - 10
    return before.encode() + text[: room - 60] + text[-60:] + b"\xff\xc3" + after.encode()


def write(folder: Path, name: bytes, content: bytes = b"x\n", *, hours_ago: float = 0.0) -> None:
    path = os.path.join(os.fsencode(folder), name)
    with open(path, "wb") as file:
        file.write(content)
    when = time.time() - 3600 * hours_ago
    os.utime(path, (when, when))


def everything(whole: Rehearsal, bin_folder: Path) -> None:
    """Poison a rehearsal for good, and put programs before the real ones that say what no program should."""
    backups(whole)
    checkout(whole)
    logs(whole)
    database(whole)
    settings(whole)
    programs(bin_folder)


def backups(whole: Rehearsal) -> None:
    folder = whole.layout.backups
    dump = poison("dump", lines=True).encode("utf-8", "surrogatepass")
    error = b"pg_dump: error: " + poison("dump-error").encode() + b"\n"
    write(folder, file_name("dump-name", "db_", ".sql"), error + dump * 50, hours_ago=0.5)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz", errors="surrogateescape") as tar:
        for name in ("mycats/backend/x", "mycats/frontend/x", f"mycats/node_modules/{poison('member', lines=True)}"):
            tar.addfile(tarfile.TarInfo(name.replace("\0", "")))
    write(folder, file_name("archive-name", "app_", ".tar.gz"), archive.getvalue(), hours_ago=0.5)
    write(folder, b"app_plain.tar.gz", archive.getvalue(), hours_ago=0.4)
    write(folder, file_name("old-dump", "db_", ".sql"), hours_ago=24 * 60)
    write(whole.layout.weekly_backups, file_name("weekly", "mycats_", ".sql"), hours_ago=24 * 8)
    for path in whole.layout.weekly_backups.glob("mycats_2*.sql"):
        path.unlink()
    write(whole.layout.checkout / "temp", file_name("temporary"), hours_ago=24 * 30)
    write(whole.layout.checkout / "logs", file_name("old-log", "", ".log"), hours_ago=24 * 90)
    # A folder in whose name a file of the listing seems to stand.
    inner = os.path.join(os.fsencode(whole.layout.checkout / "logs"), b"x\n1799999999 5 600 root 0 .")
    os.makedirs(inner, exist_ok=True)
    write(Path(os.fsdecode(inner)), file_name("inner-log", "", ".log"), hours_ago=24 * 90)


def checkout(whole: Rehearsal) -> None:
    checkout = whole.checkout
    branch = "P0IS0N-branch-</script><script>alert(1)</script>'\"\u202e&lt;"
    checkout.git("switch", "--quiet", "--create", branch.replace(" ", ""))
    checkout.git("commit", "--quiet", "--allow-empty", "--message", poison("commit").replace("\0", ""))
    write(whole.layout.checkout, file_name("changed"))
    checkout.git("add", "--all", "--force", ":(exclude)node_modules")
    migration = os.path.join(os.fsencode(whole.layout.migrations), file_name("migration", "2026"))
    os.mkdir(migration)
    write(Path(os.fsdecode(migration)), b"migration.sql", b"SELECT 1;")
    os.mkdir(os.path.join(os.fsencode(whole.layout.migrations), file_name("migration-empty", "2026")))
    lock = whole.layout.checkout / "pnpm-lock.yaml"
    key = json.dumps(poison("package").replace("@", "") + "@1.0.0")
    lock.write_text(lock.read_text() + f"\n  {key}:\n    resolution: {{integrity: sha512-x}}\n")
    version = {"name": poison("package-name"), "version": poison("version")}
    (whole.layout.checkout / "package.json").write_text(json.dumps(version))
    (whole.layout.frontend / ".next/BUILD_ID").write_bytes(poison("build").encode())
    with whole.layout.runbook.open("ab") as file:
        rows = f"\n# {poison('chapter')}\n\n| 項目 | 正常値 | アラート値 |\n|--|--|--|\n| P0IS0N-row {SCRIPT.replace('`', '')} | < 1 % | > 2 % |\n"
        file.write(rows.encode("utf-8", "replace") + b"\xff\xfe\0")
    with whole.layout.operations_log.open("ab") as file:
        file.write(f"{shell_date(now())}: Deployed version {poison('deployed')}\n{poison('undated')}\n".encode())


def now() -> datetime:
    return datetime.now().astimezone()


def logs(whole: Rehearsal) -> None:
    when = now()
    attack = poison("agent").replace("\n", "").encode() + b"\0\xff"
    with whole.layout.access_log.open("ab") as log:
        for number in range(400):
            path = poison("path").replace("\n", "").replace('"', "%22").replace(" ", "+").encode()
            status = b"500" if number % 2 else b"404"
            client = b"203.0.113.9" if number % 3 else poison("client", controls=False).encode().replace(b" ", b"")
            log.write(client + f' - - [{when:%d/%b/%Y:%H:%M:%S %z}] "GET /'.encode() + path + b' HTTP/1.1" ' + status)
            log.write(b' 5 "' + attack + b'" "' + attack + b'" "-"\n')
        log.write(b"\x1b]0;owned\x07 no line of this format\n" + b"A" * 3_000_000 + b"\n")
    with whole.layout.app_log.open("ab") as log:
        entry = {
            "level": "error",
            "time": int(time.time() * 1000),
            "context": poison("context"),
            "message": poison("logged"),
        }
        log.write(json.dumps(entry).encode() + b"\n")
        log.write(json.dumps({**entry, "message": "\ud800" + poison("surrogate")}).encode() + b"\n")
        log.write(b"\x1b[31m[Nest] 1  - " + f"{when:%m/%d/%Y, %I:%M:%S %p}".encode() + b"   ERROR " + attack + b"\n")
        log.write(b'{"level":"error","time":"' + b"9" * 1000 + b'","message":' + b"[" * 100_000 + b"\n")
    with whole.layout.auth_log.open("ab") as log:
        stamp = f"{when:%b} {when.day:2d} {when:%H:%M:%S} mycats-app sshd[1]: ".encode()
        user = poison("login").encode().replace(b"\n", b"").replace(b"\r", b"")
        for _ in range(60):
            log.write(stamp + b"Failed password for invalid user " + user + b" from " + b"203.0.113.9 port 1 ssh2\n")
            log.write(stamp + b"Failed password for root from <script>alert(1)</script> port 1 ssh2\n")
    with whole.layout.health_check_log.open("ab") as log:
        log.write(f"{shell_date(when)}: {poison('health-check')} FAILED\n".encode())
    newest = max(whole.postgres.log_folder.glob("postgresql-*.log"), key=lambda path: path.stat().st_mtime)
    with newest.open("ab") as log:
        log.write(attack * 100)


def database(whole: Rehearsal) -> None:
    names = {
        field: poison(field)[:60].replace("\0", "") for field in ("table", "role", "index", "constraint", "schema")
    }
    ident = {field: sql.Identifier(name) for field, name in names.items()}
    with whole.postgres.connect(ADMIN) as admin:
        admin.execute(
            sql.SQL("CREATE ROLE {} SUPERUSER CREATEDB CREATEROLE LOGIN VALID UNTIL 'infinity'").format(ident["role"])
        )
        admin.execute("SET password_encryption = md5")
        admin.execute(sql.SQL("ALTER ROLE {} PASSWORD 'x'").format(ident["role"]))
    with whole.postgres.connect(OWNER) as owner:
        owner.execute(sql.SQL("CREATE SCHEMA {}").format(ident["schema"]))
        table = sql.SQL("{}.{}").format(ident["schema"], ident["table"])
        owner.execute(sql.SQL("CREATE TABLE {} (a int)").format(table))
        owner.execute(sql.SQL("INSERT INTO {} SELECT 1 FROM generate_series(1, 5000)").format(table))
        owner.execute(
            sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} CHECK (a > 5) NOT VALID").format(table, ident["constraint"])
        )
        with suppress(psycopg.Error):  # two equal rows: it fails, and stays behind invalid
            owner.execute(sql.SQL("CREATE UNIQUE INDEX CONCURRENTLY {} ON {} (a)").format(ident["index"], table))
        for field, done in (("applied", "'infinity'"), ("failed", "NULL")):
            owner.execute(
                "INSERT INTO _prisma_migrations (id, checksum, migration_name, logs, started_at, finished_at)"
                f" VALUES (%s, 'x', %s, %s, '-infinity', {done})",
                (field, poison(field).replace("\0", "")[:250], poison("migration-log").replace("\0", "")),
            )
        comment = poison("query").replace("\0", "").replace("*/", "")
        for _ in range(6):
            owner.execute(f"SELECT pg_sleep(0.2) AS {ident['index'].as_string(owner)} /* {comment} */".encode())


def settings(whole: Rehearsal) -> None:
    text = whole.layout.env_file.read_text()
    lines = [line for line in text.splitlines() if not line.startswith(("CORS_ORIGIN", "NODE_ENV"))]
    for name in ("CORS_ORIGIN", "NODE_ENV"):
        lines.append(f"{name}='{poison(name.lower().replace('_', '-'), controls=False)}'".replace("\0", ""))
    whole.layout.env_file.write_text("\n".join(lines) + "\n")
    script = whole.layout.scripts / "send-alert.sh"
    script.write_bytes(b"#!/nowhere/" + poison("interpreter").encode().replace(b"\n", b"") + b"\nexit 0\n")


def programs(folder: Path) -> None:
    """systemctl, journalctl, pnpm and others whose every word is an attack."""
    folder.mkdir()
    attack = poison("unit").replace("\n", " ").replace("'", "")
    journal = {"__REALTIME_TIMESTAMP": str(int(time.time() * 1e6)), "PRIORITY": "3", "MESSAGE": poison("journal"),
               "_SYSTEMD_UNIT": poison("journal-unit"), "SYSLOG_IDENTIFIER": poison("identifier")}  # fmt: skip
    binary = {**journal, "MESSAGE": list(poison("journal-bytes").encode("utf-8", "replace"))}
    (folder / "entries").write_text(f"{json.dumps(journal)}\n{json.dumps(binary)}\n{{\n[[[[\n\0\n")
    (folder / "unit").write_bytes(
        f"Id={attack}\nLoadState=loaded\nActiveState={attack}\nSubState={attack}\nUnitFileState={attack}\n"
        f"NRestarts=99999999999999999999\nMainPID=1\nResult={attack}\nFragmentPath={attack}\nType={attack}\n"
        f"ActiveEnterTimestamp=@1700000000\nDescription={attack}\n".encode()
    )
    output = {
        "systemctl": f"cat {folder}/unit",
        "journalctl": f'case "$*" in *json*) cat {folder}/entries;; *) echo "$(date +%s).0 h x: y";; esac',
        "pnpm": f"cat {folder}/unit; exit 1",
        "node": f"cat {folder}/unit",
        "psql": f"cat {folder}/unit >&2; cat {folder}/unit; exit 0",
    }
    for name, body in output.items():
        path = folder / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)


@contextmanager
def named_process(whole: Rehearsal, name: str) -> Iterator[Path]:
    """A process whose own name is an attack, and its pid file."""
    import subprocess
    import sys

    code = "import sys,time; open('/proc/self/comm','w').write(sys.argv[1]); print('up', flush=True); time.sleep(600)"
    child = subprocess.Popen([sys.executable, "-c", code, name], stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        path = whole.layout.run / "named.pid"
        path.write_text(f"{child.pid}\n")
        yield path
    finally:
        child.kill()
        child.communicate()
