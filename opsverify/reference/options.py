"""docs/reference/options.md: what the suite adds to pytest's command line, from the very declarations."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import pkgutil
from operator import itemgetter
from typing import Any

import opsverify
from opsverify.config.items import SCHEDULES
from opsverify.reference.markdown import NOTE, code, linked, plain, table

HEAD = f"""\
# Options

{NOTE}

[日本語](../ja/reference/options.md)

The suite is pytest: everything that `pytest --help` lists works here, too. This page lists what is added; what runs of
it look like is in the [tutorial](../tutorial.md).

| Of pytest itself | Useful for |
|---|---|
| `-m smoke` | checks of a schedule, `{"`, `".join(SCHEDULES)}`, or of a severity: `-m "daily and P1"` |
| `-k disk` | checks and targets by a piece of their names: `-k "backup and not space"` |
| `-n 4` | checks in four processes |
| `-x` | ends at the first failure |
| `--html=PATH`, `--junit-xml=PATH` | the two reports in another place, with the `=` |
| `--collect-only -q` | which checks a run would make, and of what; contacts nothing |

## Of a run
"""

VARIABLES = """\
## Variables

| Variable | Meaning |
|---|---|
| `VERIFY_ENV` | what `--env` would name, several joined by commas; `--env` goes first |
| whatever an environment file names as `${…}` | secrets and addresses that come from outside |
"""


class _Declared:
    """Stands where pytest's parser would, and remembers what is declared."""

    def __init__(self) -> None:
        self.options: list[tuple[str, dict[str, Any]]] = []
        self.settings: list[tuple[str, dict[str, Any]]] = []

    def getgroup(self, *_: Any, **__: Any) -> _Declared:
        return self

    def addoption(self, name: str, **declared: Any) -> None:
        self.options.append((name, declared))

    def addini(self, name: str, help: str, **_: Any) -> None:
        self.settings.append((name, {"help": help}))


def declared() -> tuple[list[tuple[str, dict[str, Any]]], list[tuple[str, dict[str, Any]]]]:
    """Every option of the suite, as (name, what argparse is told of it), and every setting of pytest.ini."""
    import opsverify.plugin

    found = _Declared()
    for module in pkgutil.iter_modules(opsverify.plugin.__path__, "opsverify.plugin."):
        add = getattr(importlib.import_module(module.name), "pytest_addoption", None)
        if add is not None:
            add(found)
    return sorted(found.options, key=itemgetter(0)), sorted(found.settings, key=itemgetter(0))


def commands() -> list[argparse.ArgumentParser]:
    """Of each command beside pytest, `python -m opsverify.…`, what reads its arguments: `parser` in its `arguments`."""
    names = (f"{one.name}.arguments" for one in pkgutil.iter_modules(opsverify.__path__, "opsverify.") if one.ispkg)
    modules = [importlib.import_module(name) for name in names if importlib.util.find_spec(name) is not None]
    return [module.parser() for module in modules if hasattr(module, "parser")]


def document() -> str:
    """The page."""
    options, settings = declared()
    rows = [(_shown(name, told), linked(_meaning(told), "../")) for name, told in options]
    parts = [HEAD, table(("Option", "Meaning"), rows), VARIABLES]
    if settings:
        rows = [(f"`{name}`", linked(_meaning(told), "../")) for name, told in settings]
        parts.append("## In pytest.ini\n\n" + table(("Setting", "Meaning"), rows))
    return "\n".join([*parts, *map(_command, commands())])


def _command(parser: argparse.ArgumentParser) -> str:
    rows = [
        (
            code(f"{(action.option_strings or [''])[-1]} {action.metavar or ''}".strip()),
            _meaning({"help": action.help}),
        )
        for action in parser._actions
        if action.dest != "help"
    ]
    return f"## {parser.prog}\n\n{parser.description}\n\n{table(('Argument', 'Meaning'), rows)}"


def _shown(name: str, told: dict[str, Any]) -> str:
    if told.get("action") == "store_true":
        return f"`{name}`"
    choices = "|".join(map(str, told.get("choices") or ()))
    return f"`{name} {told.get('metavar') or choices}`"


def _meaning(told: dict[str, Any]) -> str:
    return plain(str(told.get("help", "")).strip())
