"""Variables that systemd gives to a service: EnvironmentFile=, and Environment= as `systemctl show` shows it."""

from __future__ import annotations

import re

_COMMENTS_END_WITH_THEIR_LINE = 254
"""Since this version of systemd; before it, one that ends in a backslash makes the next line a comment, too."""
_LINE = re.compile(
    r"""
    (?P<comment> [\#;] [^\n\r]* )
    | (?P<name> [^\ \t\n\r\#;] [^=\n\r]* )
      (?: = (?P<quoted> (?: [\ \t]* (?: ' [^']* (?: ' | \Z ) | " (?: \\[\s\S] | [^"\\] )* (?: " | \\?\Z ) ) )* )
          [\ \t]* (?P<rest> (?: \\[\s\S] | \\\Z | [^\\\n\r] )* ) )?
    """,
    re.VERBOSE,
)
_LONG_COMMENT = re.compile(r"[#;](?:\\[\s\S]|[^\\\n\r])*")
_QUOTED = re.compile(r"""'([^']*)'?|"((?:\\[\s\S]|[^"\\])*)\\?"?""")


def parse(text: str, version: int) -> dict[str, str]:
    """Value by name, as this version of systemd reads an EnvironmentFile=. Never raises.

    No `export`, no comment after a value; quotes only where a value begins, several in a row are joined; backslashes
    join lines and escape. Source: systemd.exec(5), EnvironmentFile=; names as in environ(7).
    """
    values = {}
    at = 0
    while line := _LINE.search(text, at):
        at = line.end()
        if line["comment"] is not None:
            if version < _COMMENTS_END_WITH_THEIR_LINE and (comment := _LONG_COMMENT.match(text, line.start())):
                at = comment.end()
        elif line["rest"] is not None:
            name = line["name"].rstrip(" \t")
            if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                values[name] = _quoted(line["quoted"]) + _plain(line["rest"])
    return values


def _quoted(text: str) -> str:
    return "".join(
        re.sub(r'\\(["\\`$]|\n|\Z)', lambda match: match[1].strip("\n"), part[2]) if part[1] is None else part[1]
        for part in _QUOTED.finditer(text)
    )


def _plain(text: str) -> str:
    parts = re.findall(r"\\[\s\S]?|[^\\]", text)
    while parts and parts[-1] in (" ", "\t"):
        parts.pop()
    return "".join(part[1:].strip("\n\r") if part[0] == "\\" else part for part in parts)


_WORD = re.compile(r"""\$'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)"|(\S+)""")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|([0-7]{3})|(.))")
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def shown(line: str) -> dict[str, str]:
    """Value by name, of what `systemctl show` prints behind `Environment=`. Never raises.

    Words between spaces; those that a shell would misread stand in quotes with C's escapes, since systemd 246 perhaps
    as $'…'. Source: org.freedesktop.systemd1(5); shell_maybe_quote in systemd's src/basic/escape.c.
    """
    words = [
        plain or _ESCAPE.sub(_character, in_dollars or in_quotes)
        for in_dollars, in_quotes, plain in _WORD.findall(line)
    ]
    return dict(word.partition("=")[::2] for word in words if "=" in word)


def _character(escape: re.Match[str]) -> str:
    in_hex, in_octal, letter = escape.groups()
    if letter is not None:
        return _LETTERS.get(letter, letter)
    return chr(int(in_hex, 16) if in_hex else int(in_octal, 8))
