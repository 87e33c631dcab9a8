"""Which checks a run must ask for by name: those that change something on purpose. Pure."""

from __future__ import annotations

import ast


def asked_for(schedule: str | None, expression: str) -> bool:
    """Whether the marker expression (`-m`) names `schedule` and not only to exclude it; always, for None.

    Safe for what a drill does: an expression that cannot be read asks for nothing.
    """
    if schedule is None:
        return True
    try:
        return _named(ast.parse(expression.strip(), mode="eval").body, schedule, wanted=True)
    except (SyntaxError, ValueError, RecursionError):
        return False


def _named(node: ast.AST, name: str, *, wanted: bool) -> bool:
    if isinstance(node, ast.Name):
        return wanted and node.id == name
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        wanted = not wanted
    return any(_named(child, name, wanted=wanted) for child in ast.iter_child_nodes(node))
