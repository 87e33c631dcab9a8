"""What grants what a probe says it lacks: from its own sentence to the command, for `--preflight`. Pure.

Probes know what they may not do, and say it; whom to grant it stands in the environment file. A table is enough in
between: tests hold it against every sentence of the probes, and against what real roles and accounts are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from posixpath import dirname
from shlex import quote


class Lack(Enum):
    """What kind of thing is missing, in the order in which it is told: what hides the most comes first."""

    UNREACHABLE = "unreachable"
    PRIVILEGE = "privilege"
    EXTENSION = "extension"
    PROGRAM = "program"
    LOGIN = "login"
    CLOCK = "clock"
    OTHER = "other"


@dataclass(frozen=True)
class Whom:
    """Whom something is granted, and where, as far as the environment file says it."""

    host: str = ""
    """By its name under hosts."""
    connection: str = ""
    account: str = ""
    """Who asks the host; "" where ssh_config says it."""
    unit: str = ""
    """Of the service that is asked about."""
    folder: str = ""
    """Of the target: where files lie that a sentence names without one."""
    server: str = ""
    """Where the database is: `prod-db:5432`."""
    database: str = ""
    role: str = ""
    url: str = ""

    @property
    def user(self) -> str:
        return self.account or "<account>"

    @property
    def address(self) -> str:
        """The host as ssh takes it."""
        return self.connection.partition("://")[2].partition("?")[0]


@dataclass(frozen=True)
class Remedy:
    """What is missing, and what grants it."""

    lack: Lack
    by: str = ""
    """Who runs the commands, and where: `as root on app1`."""
    commands: tuple[str, ...] = ()
    advice: str = ""
    """In words, where no command does it, or what is to be done besides."""


Make = Callable[[re.Match[str], Whom], Remedy]


def _root(whom: Whom, command: str, advice: str = "", lack: Lack = Lack.PRIVILEGE) -> Remedy:
    return Remedy(lack, f"as root on {whom.host or 'the host'}", (command,), advice)


def _join(group: str = "") -> Make:
    return lambda match, whom: _root(whom, f"usermod -aG {group or match['group']} {whom.user}")


def _dump(match: re.Match[str], whom: Whom) -> Remedy:
    """A backup's file, which a sentence names by its name alone; the next one will be as this one was written."""
    path = quote(f"{whom.folder.rstrip('/')}/{match['name']}")
    return _root(whom, _command(path, "chmod g+r", whom), "and have the job that writes it do so, by `umask 027`")


_NOT_ROOTS = "where its group is root this does nothing: give it another group first"


def _command(path: str, change: str, whom: Whom) -> str:
    return f'g=$(stat -c %G {path}) && [ "$g" != root ] && usermod -aG "$g" {whom.user} && {change} {path}'


def _through_group(rights: str, *, below: bool = False, folder: bool = False) -> Make:
    """Into the group that the path (its `folder`) has, which is then given `rights`, for all that is `below` it.

    Never into root's own: that would be too much.
    """

    def make(match: re.Match[str], whom: Whom) -> Remedy:
        path = quote(dirname(match["path"]) if folder else match["path"])
        change = f"chmod {'-R ' if below else ''}g+{rights}"
        return _root(whom, _command(path, change, whom), _NOT_ROOTS)

    return make


def _become(account: str) -> Make:
    """By sudo another account: root, or that of the service where `account` is empty."""

    def make(match: re.Match[str], whom: Whom) -> Remedy:
        becomes = account or (f"$(systemctl show -p User --value {quote(whom.unit)})" if whom.unit else "<its account>")
        # visudo takes no line that is wrong: with one, nobody on the host could use sudo any more.
        rule = f"{whom.user} ALL=({becomes}) NOPASSWD: /bin/sh -c *"
        line = f"echo \"{rule}\" | EDITOR='tee -a' visudo -f /etc/sudoers.d/opsverify"
        asked = "?sudo=true" + ("" if account == "root" else "&sudo_user=<that account>")
        advice = f"and `connection: {whom.connection.partition('?')[0]}{asked}`; docs/privileges.md says at what risk"
        return _root(whom, line, advice)

    return make


def _files(match: re.Match[str], whom: Whom) -> Remedy:
    """The files that the application reads, which say as much of its variables as its process does."""
    paths = re.findall(_PATH, match["places"])
    if not paths:
        return _become("")(match, whom)
    commands = tuple(_command(quote(path), "chmod g+r", whom) for path in paths)
    return Remedy(Lack.PRIVILEGE, f"as root on {whom.host or 'the host'}", commands, _NOT_ROOTS)


def _as_itself(match: re.Match[str], whom: Whom) -> Remedy:
    return Remedy(Lack.PRIVILEGE, f"as {whom.user} on {whom.host}", (match["command"],))


def _superuser(whom: Whom, command: str, advice: str = "", lack: Lack = Lack.PRIVILEGE) -> Remedy:
    return Remedy(lack, f"as a superuser of {whom.server or 'the database'}", (command,), advice)


def _psql(whom: Whom, statement: str) -> str:
    return f"psql -d {quote(whom.database or '<database>')} -c {quote(statement)}"


def _statement(template: str, lack: Lack = Lack.PRIVILEGE, advice: str = "") -> Make:
    return lambda match, whom: _superuser(whom, _psql(whom, match.expand(template)), advice, lack)


_PASSWORD = _statement(r"\\password \g<role>", Lack.LOGIN, "and the same password in the variable that the dsn takes")
_SQL = re.compile(r"(?:GRANT|CREATE EXTENSION) [^;()]*(?:\([^()]*\)[^;()]*)*")


def _said(match: re.Match[str], whom: Whom) -> Remedy:
    """The statements that the sentence itself holds."""
    statements = list(dict.fromkeys(text.strip() for text in _SQL.findall(match.string)))
    if any("…" in text for text in statements):  # the sentence was cut
        return _script(match, whom)
    lack = Lack.EXTENSION if statements[0].startswith("CREATE") else Lack.PRIVILEGE
    by = f"as a superuser of {whom.server or 'the database'}"
    return Remedy(lack, by, tuple(_psql(whom, text) for text in statements))


def _script(match: re.Match[str], whom: Whom) -> Remedy:
    """All that a role needs, by the script that makes it; under the role's own name where it has another."""
    named = whom.role not in ("", "mycats_monitor")
    options = f"PGOPTIONS={quote(f'-c opsverify.role={whom.role}')} " if named else ""
    return _superuser(
        whom, f"{options}psql -d {quote(whom.database or '<database>')} -f opsverify/sql/monitoring-role.sql"
    )


def _hba(match: re.Match[str], whom: Whom) -> Remedy:
    line = f"hostssl {match['database']} {match['role']} <address of this machine>/32 scram-sha-256"
    return Remedy(Lack.PRIVILEGE, f"in pg_hba.conf of {whom.server}", (line,), "and `SELECT pg_reload_conf()`")


_NOT_BY_ITS_NAME = {
    "awk": "mawk",
    "timeout": "coreutils",
    "sha256sum": "coreutils",
    "stat": "coreutils",
    "xz": "xz-utils",
}


def _program(match: re.Match[str], whom: Whom) -> Remedy:
    name = match["name"]
    if name == "pnpm":
        return _root(whom, "corepack enable pnpm", "or name its folder in the host's search_path", Lack.PROGRAM)
    return _root(whom, f"apt-get install -y {_NOT_BY_ITS_NAME.get(name, name)}", lack=Lack.PROGRAM)


def _plainly(lack: Lack, advice: str = "") -> Make:
    return lambda match, whom: Remedy(lack, advice=advice)


def _key(match: re.Match[str], whom: Whom) -> Remedy:
    return Remedy(Lack.UNREACHABLE, "here", (f"ssh-copy-id {quote(whom.address)}",))


def _see(whom: Whom) -> Remedy:
    """What a person tries from where the suite runs, to see the same."""
    command = ""
    if whom.server:
        host, _, port = whom.server.rpartition(":")
        command = f"pg_isready -h {quote(host)} -p {port} -d {quote(whom.database)}"
    elif whom.url:
        command = f"curl -sv -o /dev/null {quote(whom.url)}"
    elif whom.connection.startswith("ssh://"):
        command = f"ssh {quote(whom.address)} true"
    return Remedy(Lack.UNREACHABLE, "see it from here" if command else "", (command,) if command else ())


_PATH = r"(?P<path>/[^\s,;:()'’]*[^\s,;:()'’.])"
_LOG = r"(?P<path>/var/log/[^\s,;:()'’]+)"
_DENIED = r"may not (?:be )?(?:read|list|looked for)|[Pp]ermission denied|[Oo]peration not permitted|needs root"

RULES: Sequence[tuple[str, Make]] = (
    (r"may not read (?:what is asked for|sequences)", _script),  # which grants less: a column, of all that there is
    # A database's sentences hold their statement, or follow from one of ours.
    (r"\((?:GRANT|CREATE EXTENSION) ", _said),
    (r"role (?P<role>\S+) may not see .* grant it pg_monitor", _statement(r"GRANT pg_monitor TO \g<role>")),
    (r"monitoring-role\.sql|role \S+ lacks a privilege|there is no role", _script),
    (
        r"installed but not loaded: shared_preload_libraries",
        _statement(
            "SHOW shared_preload_libraries",
            Lack.EXTENSION,
            "add pg_stat_statements to what that shows, in postgresql.conf, and restart PostgreSQL",
        ),
    ),
    (r"pg_hba\.conf has no entry for role (?P<role>\S+) and (?P<database>\S+)", _hba),
    (r"role (?P<role>\S+) may not connect to (?P<on>\S+)", _statement(r"GRANT CONNECT ON DATABASE \g<on> TO \g<role>")),
    (r"role (?P<role>\S+) may not log in", _statement(r"ALTER ROLE \g<role> LOGIN")),
    (r"password refused for role (?P<role>\S+)", _PASSWORD),
    (r"role (?P<role>\S+) needs a password", _PASSWORD),
    # A host's: what is asked for exactly stands before what may be meant.
    (r"`(?P<command>git config --global --add safe\.directory [^`]+)`", _as_itself),
    (r"add it to the group (?P<group>[a-z-]+)", _join()),
    (r"no journal that this account may read", _join("systemd-journal")),
    (r"may not talk to the \S+ daemon|[Pp]ermission denied .*docker", _join("docker")),
    (r"the group shadow and root may|\(root may\)|sudo asks for a password|sudo is not allowed there", _become("root")),
    (r"may not read (?P<places>the environment of process [^;]*/[^;]*);", _files),
    (r"use the service's own account or root|may not be seen by this account", _become("")),
    (r"^(?P<name>[\w.@+-]+) may not be read by this account", _dump),
    (r"this account may not read (?P<name>[\w.@+-]+)$", _dump),
    (rf"{_LOG}.*(?:may not be|ermission denied)", _join("adm")),
    (rf"may not read {_PATH}(?<=/\.git)", _through_group("rX", below=True)),
    (rf"may not search the folder of {_PATH}", _through_group("x", folder=True)),
    (rf"{_PATH} may not be looked for", _through_group("x", folder=True)),
    (rf"{_PATH} may not be executed", _through_group("x")),
    (rf"{_PATH},? (?:which this account )?may not (?:be )?read", _through_group("r")),
    (rf"may not (?:read|list every folder below) {_PATH}", _through_group("rX")),
    (rf"{_PATH}['’]?: [Pp]ermission denied", _through_group("rX")),
    (_DENIED, _become("")),
    # Programs, there and here.
    (r"(?P<name>git) is not installed on the host", _program),
    (r"its lock file is of (?P<name>pnpm|npm), which this account does not find", _program),
    (r"the host has no (?P<name>zstd|gzip|bzip2|xz|tar)\b", _program),
    (r"(?:^|[\s:])(?P<name>[a-z][\w.-]*): (?:command )?not found", _program),
    (r"where the suite runs", _plainly(Lack.PROGRAM)),
    (r"the history is switched off", _plainly(Lack.OTHER, "say where it is kept: `history` in the environment file")),
    # Logins to an API, and to documents.
    (r"needs a login, and none is configured", _plainly(Lack.LOGIN, "`login` of the API in the environment file")),
    (r"give it a header that may read it", _plainly(Lack.LOGIN, "`headers` of the document in the environment file")),
    (r"^login \S+: |refuses our token", _plainly(Lack.LOGIN)),
    # What would let us in.
    (r"SSH authentication refused", _key),
)


def remedy(sentence: str, whom: Whom, *, unreachable: bool = False) -> Remedy:
    """What grants what a sentence of a probe says is missing: by the first rule that knows it."""
    for pattern, make in RULES:
        if match := re.search(pattern, sentence):
            return make(match, whom)
    return _see(whom) if unreachable else Remedy(Lack.OTHER)


__all__ = ["RULES", "Lack", "Remedy", "Whom", "remedy"]
