"""A plain dump, read through once before it is restored: what it needs, and whether it ends where it should."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import IO

_NAME = rb'("(?:[^"]|"")+"|[A-Za-z_\x80-\xff][\w$\x80-\xff]*)'
_STARTS = (b"GRANT ", b"REVOKE ", b"ALTER ", b"CREATE SCHEMA ", b"CREATE POLICY ", b"SET SESSION AUTHORIZATION ")
_ROLES = re.compile(
    rb"\b(?:OWNER TO|AUTHORIZATION|FOR ROLE|GRANTED BY) " + _NAME + rb"|\b(?:TO|FROM) " + _NAME + rb"(?=[;, ]|$)"
)
_LIST = re.compile(rb", ?" + _NAME + rb"(?=[;, ]|$)")
_COPY = re.compile(rb"COPY (.+?) (?:\(.*\) )?FROM stdin;\r?\n")
_EXTENSION = re.compile(rb'CREATE EXTENSION (?:IF NOT EXISTS )?"?([a-z0-9_-]+)"? WITH SCHEMA (?:public|pg_catalog);\s*')
_NO_ROLES = {"public", "current_user", "session_user", "current_role", "default", "none"}


@dataclass(frozen=True)
class Script:
    """What one plain dump says about itself."""

    roles: frozenset[str] = frozenset()
    """Roles that own something or are granted something, as the catalogue spells them; possibly some more words."""
    ends_inside: str = ""
    """The table in whose rows the dump ends, "" where it does not."""
    server_version: str | None = None
    dump_version: str | None = None
    extensions: frozenset[str] = frozenset()
    """Extensions that it makes where every database may have them, in `public` or `pg_catalog`."""
    creates_database: bool = False
    """Whether it was made with --create, and so names the database itself."""

    @property
    def major(self) -> int | None:
        """Of the server that was dumped."""
        match = re.match(r"\d+", self.server_version or "")
        return int(match[0]) if match else None


def copied_into(line: bytes) -> str:
    """The table whose rows follow a line, up to `\\.`; "" where none do."""
    match = _COPY.fullmatch(line) if line.startswith(b"COPY ") else None
    return match[1].decode("utf-8", "replace") if match else ""


def read(source: IO[bytes]) -> Script:
    """Read a plain dump to its end, line by line. Anything is understood: a dump that is none has no versions."""
    roles: set[str] = set()
    extensions: set[str] = set()
    inside = ""
    server = tool = None
    creates = False
    for line in source:
        if inside:
            if line.rstrip(b"\r\n") == b"\\.":
                inside = ""
        elif inside := copied_into(line):
            continue
        elif match := _EXTENSION.fullmatch(line):
            extensions.add(match[1].decode("ascii"))
        elif line.startswith(_STARTS):
            roles |= _roles_in(line)
        elif line.startswith(b"-- Dumped "):
            if server is None and (match := re.match(rb"-- Dumped from database version (\S+)", line)):
                server = match[1].decode("ascii", "replace")
            if tool is None and (match := re.match(rb"-- Dumped by pg_dump version (\S+)", line)):
                tool = match[1].decode("ascii", "replace")
        elif line.startswith((b"CREATE DATABASE ", b"\\connect ")):
            creates = True
    return Script(frozenset(roles), inside, server, tool, frozenset(extensions), creates)


def _roles_in(line: bytes) -> set[str]:
    roles: set[str] = set()
    for match in _ROLES.finditer(line):
        names = [match[1] or match[2], *_LIST.findall(line[match.end() :].split(b" WITH ")[0])]
        for name in names:
            text = name.decode("utf-8", "replace")
            plain_name = text[1:-1].replace('""', '"') if text.startswith('"') else text.lower()
            if plain_name.lower() not in _NO_ROLES and not plain_name.startswith("pg_"):
                roles.add(plain_name)
    return roles
