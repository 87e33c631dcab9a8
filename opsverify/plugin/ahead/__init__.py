"""What can be known before a run: `--plan` contacts nothing, `--preflight` all once, `--explain` tells of a check.

None of them leaves a report, a row in the history or a message, and none takes a report of an earlier run away.

plan      what would be asked, by whom     preflight  what a full run lacks     explain   one check
accounts  who asks a target, and where     remedies   the command that grants   scripts   what exactly is sent
                                                                                specimen  a system to explain by
"""

from __future__ import annotations

from typing import Any

import pytest

from opsverify.errors import ConfigurationError
from opsverify.plugin.state import contacts_nothing, looks_ahead


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("opsverify", "operational verification")
    group.addoption(
        "--plan",
        action="store_true",
        help="say what the run would ask of each target, by which account, what that takes and which checks it "
        "decides, and end; contacts nothing",
    )
    group.addoption(
        "--preflight",
        action="store_true",
        help="ask every target once, say what a full run lacks (privileges, extensions, programs, reachability) and "
        "the command that grants it, and end; exit code 1 where something is missing",
    )
    group.addoption(
        "--explain",
        action="append",
        metavar="CHECK",
        help="say all about a check: its promise, what it asks and how, limits, faults, what to do, and the last "
        "results where there is an environment; repeatable. Contacts nothing",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    if not looks_ahead(config) or config.option.help:
        return None
    asked = [name for name in ("plan", "preflight", "explain", "traceability") if getattr(config.option, name)]
    if len(asked) > 1:
        raise pytest.UsageError(f"{' and '.join(f'--{name}' for name in asked)}: found together, allowed one of them")
    if config.option.fault and contacts_nothing(config):
        raise pytest.UsageError(f"--{asked[0]}: found --fault, which breaks something; allowed without")
    if config.option.explain:
        from opsverify.plugin.ahead import explain

        try:
            print("\n".join(explain.text(config)))
        except ConfigurationError as error:
            raise pytest.UsageError("\n".join(error.mistakes)) from None
        return 0
    _quiet(config)
    from _pytest.main import wrap_session

    return int(wrap_session(config, _plan if config.option.plan else _preflight))


def _quiet(config: pytest.Config) -> None:
    """Only our own words, in one process, and no report."""
    config.option.verbose = -2
    for name, value in (("dist", "no"), ("tx", []), ("numprocesses", None), ("htmlpath", None), ("xmlpath", None)):
        setattr(config.option, name, value)


def _collected(session: pytest.Session) -> list[pytest.Item]:
    items: list[pytest.Item] = list(session.perform_collect())
    if session.testsfailed:
        raise pytest.UsageError("checks could not be collected: pytest --collect-only --tb=short says why")
    if not items:
        raise pytest.UsageError("no check is selected (-m, -k and paths say which)")
    return items


def _plan(config: pytest.Config, session: pytest.Session) -> int:
    from opsverify.plugin.ahead import plan

    _write(config, plan.lines(config, _collected(session)))
    return 0


def _preflight(config: pytest.Config, session: pytest.Session) -> int:
    from opsverify.plugin.ahead import preflight

    found = preflight.look(session, _collected(session))
    _write(config, found.lines)
    return found.code


def _write(config: pytest.Config, lines: Any) -> None:
    terminal: Any = config.pluginmanager.get_plugin("terminalreporter")
    for line in lines:
        terminal.write_line(line) if terminal else print(line)
