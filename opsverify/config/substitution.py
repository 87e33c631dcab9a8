"""What comes into an environment file from outside: `${VAR}`, `${VAR:-default}`, `${file:/path}`; `$$` is a dollar."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

KeyPath = tuple[str, ...]
"""Where a value stands: ("databases", "main", "dsn")."""

_REFERENCE = re.compile(r"\$\$|\$\{(?P<body>[^{}]*)\}")
_SECRET_NAME = re.compile(r"PASS|SECRET|TOKEN|KEY|DSN|CREDENTIAL|AUTH", re.IGNORECASE)
_SECRET_PLACES = (("notify", "channels"), ("notify", "heartbeat"))
"""Where whatever comes from outside is a secret, whatever it is called: who knows such an address may use it."""


@dataclass
class Filled:
    """A YAML tree after substitution: where values came from outside, and what was wrong on the way."""

    tree: Any = None
    outside: set[KeyPath] = field(default_factory=set)
    written: dict[KeyPath, str] = field(default_factory=dict)
    """What stands in the file where values came from outside: `https://${HOST}/`."""
    secrets: set[str] = field(default_factory=set)
    mistakes: list[str] = field(default_factory=list)


def fill(tree: Any, values: Mapping[str, str]) -> Filled:
    """`tree` with its references replaced by `values` and by what files hold. What is wrong is listed, not raised."""
    filled = Filled()

    def one(match: re.Match[str], path: KeyPath) -> str:
        if match.group() == "$$":
            return "$"
        body = match["body"]
        if body.startswith("file:"):
            source = Path(body[5:]).expanduser()
            try:
                value = source.read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                why = getattr(error, "strerror", None) or "not UTF-8"
                filled.mistakes.append(f"{'.'.join(path)}: found ${{{body}}} ({why}), allowed a readable file")
                return ""
            filled.secrets |= {value, unquote(value)}
            filled.outside.add(path)
            return value
        name, has_default, default = body.partition(":-")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            filled.mistakes.append(
                f"{'.'.join(path)}: found ${{{body}}}, "
                "allowed ${VAR}, ${VAR:-default}, ${file:/path}, $$ for a dollar"
            )
            return ""
        value = values.get(name, "")
        if not value and has_default:
            return default
        filled.outside.add(path)
        if not value:
            filled.mistakes.append(
                f"{'.'.join(path)}: found ${{{name}}} but {name} is not set, allowed a value or ${{{name}:-default}}"
            )
        elif _SECRET_NAME.search(name) or path[:2] in _SECRET_PLACES:
            filled.secrets |= {value, unquote(value)}  # in an address it is encoded; whoever takes it says it plainly
        return value

    def walk(node: Any, path: KeyPath) -> Any:
        if isinstance(node, dict):
            return {str(key): walk(value, (*path, str(key))) for key, value in node.items()}
        if isinstance(node, list):
            return [walk(value, (*path, str(index))) for index, value in enumerate(node)]
        if isinstance(node, str) and "$" in node:
            filled.written[path] = node
            return _REFERENCE.sub(lambda match: one(match, path), node)
        return node

    try:
        filled.tree = walk(tree, ())
    except RecursionError:
        filled.mistakes.append(
            "(file): found an alias that holds itself, or no end of nesting, allowed a plain mapping"
        )
    return filled


__all__ = ["Filled", "KeyPath", "fill"]
