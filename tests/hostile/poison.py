"""Texts that attack whoever shows them."""

from __future__ import annotations

SCRIPT = (
    "</script><script>window.hacked=1;alert(1)</script><img src=x onerror=window.hacked=1>"
    "'\"`;${7*7}{{7*7}}]]>&lt;%00%0a<!--"
)
ESCAPES = "\x1b[31mred\x1b[2J\x1b]0;owned\x07\x1b]8;;http://evil.example\x1b\\\x9b31m\x08\x7f"
DIRECTION = "\u202etxt.exe\u2066\u200b\ufeff\u2028\x85"


def poison(field: str, *, controls: bool = True, lines: bool = False) -> str:
    """An attack that tells in which field it was planted, `P0IS0N-field`: at both ends, for those that are cut."""
    text = f"P0IS0N-{field} {SCRIPT}{DIRECTION}"
    if controls:
        text += ESCAPES
    if lines:
        text += "\r\n== end\nE   fake\n::error::x\n"
    return text


def planted(text: str) -> set[str]:
    """The fields whose poison is in a text."""
    import re

    return set(re.findall(r"P0IS0N-([a-z0-9-]+)", text))
