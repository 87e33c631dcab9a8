"""Which environments a run looks at, and who says so: the command line, else VERIFY_ENV, else `env` in pytest.ini.

What was not said on the command line is easily forgotten: a run begins and ends with the name of its environment and
where that comes from.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import pytest

from opsverify.plugin.state import is_worker

INI = "env"
VARIABLE = "VERIFY_ENV"


@dataclass(frozen=True)
class Chosen:
    """Environments by the names or paths that somebody gave them."""

    names: tuple[str, ...]
    origin: str = ""
    """Where that was said, for people; "" for the command line itself."""


def chosen(config: pytest.Config) -> Chosen:
    """The environments of this run; none where nobody has named one."""
    if config.option.env:
        return Chosen(tuple(config.option.env))
    ways = ((os.environ.get(VARIABLE, ""), f"the variable {VARIABLE}"), (config.getini(INI), _ini(config)))
    for text, origin in ways:
        if names := tuple(name.strip() for name in text.split(",") if name.strip()):
            return Chosen(names, origin)
    return Chosen(())


def _ini(config: pytest.Config) -> str:
    overridden = any(one.partition("=")[0].strip() == INI for one in config.option.override_ini or ())
    return f"-o {INI}=…" if overridden else f"{INI} in {config.inipath.name if config.inipath else 'pytest.ini'}"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        INI,
        f"environments that a run verifies where neither --env nor the variable {VARIABLE} names one; several with "
        "commas between them",
        type="string",
        default="",
    )


SAID = pytest.StashKey[str]()
"""What a run says of its environments, set where the command line names none."""


def settle(config: pytest.Config) -> tuple[str, ...]:
    """The names of the environments of this run; workers of xdist take them from the process that started them."""
    found = chosen(config)
    if found.origin and not is_worker(config):
        config.stash[SAID] = f"Environment {', '.join(found.names)}, named by {found.origin}"
        config.option.env = list(found.names)
    return found.names


@pytest.hookimpl(wrapper=True, tryfirst=True)  # around all that others have to say
def pytest_sessionstart(session: pytest.Session) -> Generator[None, object, object]:
    _say(session.config)
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    outcome = yield
    _say(session.config)
    return outcome


def _say(config: pytest.Config) -> None:
    terminal: Any = config.pluginmanager.get_plugin("terminalreporter")
    if SAID in config.stash and terminal is not None:
        terminal.write_line(config.stash[SAID])
