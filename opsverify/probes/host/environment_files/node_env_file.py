"""Files that Node.js itself reads: `node --env-file=FILE`."""

from __future__ import annotations

import re

from opsverify.errors import ProbeError

_LINE = re.compile(
    r"""
    (?: (?P<comment> \# [^\n]* )?
      | (?P<export> export[ ] )? (?P<name> (?! export\b ) [A-Za-z_][A-Za-z0-9_.-]* ) [ ]* =
        (?: [ ]* (?P<quote> ["'`] ) (?P<quoted> .*? ) (?P=quote) [^\n]*
          | (?: [ ]* (?P<plain> [^\s"'`\#] (?: [^\n\#]* [^\s\#] )? ) [ ]* )? (?P<remark> \# [^\n]* )?
        )
    ) (?P<end> \n | \Z )
    """,
    re.VERBOSE | re.DOTALL,
)


def parse(text: str) -> dict[str, str]:
    """Value by name. `#` ends a value that is not quoted, wherever it stands: `A=q7#x` is "q7".

    Only what the releases in use read the same, 20.19 and newer, 22.20 and newer, 24: for the rest, they have changed
    the grammar several times. Raises ProbeError with the number of the first line that is none of that.
    Source: Node.js's documentation of --env-file, whose parser is `util.parseEnv`.
    """
    values = {}
    text = text.replace("\r\n", "\n")
    at = 0
    while at < len(text):
        line = _LINE.match(text, at)
        if line is None or "\r" in line[0] or (not line["end"] and any(line.group("comment", "remark", "export"))):
            number = text.count("\n", 0, at) + 1
            raise ProbeError(f"its line {number} is one that releases of Node.js read differently")
        if line["name"]:
            quoted = line["quoted"]
            value = (line["plain"] or "") if quoted is None else quoted
            values[line["name"]] = value.replace("\\n", "\n") if line["quote"] == '"' else value
        at = line.end()
    return values
