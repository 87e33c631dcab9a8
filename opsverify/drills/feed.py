"""What of a dump is fed to psql: a stranger's script, to be restored without its being able to do anything else.

psql heeds no command of its own while it is restricted with a key that the dump does not know, and the role that
restores may run no program, read no file and become nobody else. What takes more than that for nothing is left out:
owners, remarks on extensions, and rights to what is PostgreSQL's own. Lines keep their numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from opsverify.drills.script import copied_into

_LEFT_OUT = re.compile(
    rb"\\(?:un)?restrict [A-Za-z0-9]+\s*|ALTER [^;]* OWNER TO [^;]*;\s*|COMMENT ON EXTENSION [^;]*;\s*"
    rb"|(?:GRANT|REVOKE) [^;]* ON (?:[A-Z]+ )*(?:pg_catalog|information_schema)\.[^;]*;\s*"
)


def harmless(source: IO[bytes], into: IO[bytes]) -> None:
    """Copy a plain dump without what only its own psql, or a superuser, may do.

    Source: psql(1), \\restrict, which may not be nested; pg_dump(1), which writes each of these on a line of its own.
    """
    for line in _lines(source):
        into.write(line)


def _lines(source: IO[bytes]) -> Iterator[bytes]:
    inside = False
    for line in source:
        if inside:
            inside = line.rstrip(b"\r\n") != b"\\."
            yield line
        elif _LEFT_OUT.fullmatch(line):
            yield b"\n"
        else:
            inside = bool(copied_into(line))
            yield line


__all__ = ["harmless"]
