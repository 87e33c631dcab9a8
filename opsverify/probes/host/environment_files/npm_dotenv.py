"""Files that an application reads with npm's `dotenv`, as NestJS's ConfigModule and most others do."""

from __future__ import annotations

import re

# JavaScript's white space and ends of lines are not Python's.
_END = "\n\r\u2028\u2029"
_BLANK = "\t\v\f \xa0\u1680\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200B)))
_SPACE = _BLANK + _END
_LINE = re.compile(
    rf"""
    (?: \A | (?<=[{_END}]) ) [{_BLANK}]* (?: export [{_SPACE}]+ )?
    (?P<name> [A-Za-z0-9_.-]+ )
    (?: [{_SPACE}]*= | : [{_SPACE}]+? )
    (?P<value>
        [{_SPACE}]* ' (?: \\' | [^'] )* '
      | [{_SPACE}]* " (?: \\" | [^"] )* "
      | [{_SPACE}]* ` (?: \\` | [^`] )* `
      | [^\#\n\r]+
    )?
    [{_SPACE}]* (?: \#[^{_END}]* )? (?= [{_END}] | \Z )
    """,
    re.VERBOSE,
)
# Also around one line of several: its `$` and `^` are those of lines.
_QUOTED = re.compile(rf"(?: \A | (?<=[{_END}]) ) (['\"`]) (.*) \1 (?= [{_END}] | \Z )", re.VERBOSE | re.DOTALL)


def parse(text: str) -> dict[str, str]:
    """Value by name. `#` ends a value that is not quoted, wherever it stands: `A=q7#x` is "q7". Never raises.

    Source: `parse` of the package, the same from version 15.0 to 18.0 but for backquotes, which 16.0 brought.
    """
    values = {}
    for line in _LINE.finditer(re.sub(r"\r\n?", "\n", text)):
        value = (line["value"] or "").strip(_SPACE)
        expanded = value.startswith('"')
        value = _QUOTED.sub(r"\2", value)
        values[line["name"]] = value.replace("\\n", "\n").replace("\\r", "\r") if expanded else value
    return values
