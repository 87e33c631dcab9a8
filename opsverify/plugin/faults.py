"""`--fault`: a rehearsal of the run's own is broken on purpose before the run looks at it."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from opsverify.errors import ConfigurationError
from opsverify.plugin.state import is_worker

if TYPE_CHECKING:
    from rehearsal.faults import Fault

LIST = "list"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("opsverify").addoption(
        "--fault",
        action="append",
        metavar="NAME",
        help="break the rehearsal for real, in a way that docs/faults.md lists, before verifying it; repeatable. "
        "Only with an environment that is provided_by: rehearsal. 'list': say which there are, and end",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    if LIST not in (config.option.fault or ()) or config.option.help:
        return None
    from rehearsal.faults import FAULTS

    for fault in FAULTS.values():
        print(f"{fault.name}: {fault.title}")
        print(f"    turns {turning(fault)}" + (f"; proven by {fault.proof}" if fault.proof else ""))
    return 0


def turning(fault: Fault) -> str:
    """What a fault turns, worst first: "database-connect[primary] (alert), …"."""
    return ", ".join(f"{subject} ({verdict})" for subject, verdict in fault.turns.items())


def chosen(config: pytest.Config) -> Sequence[Fault]:
    """The faults that the command line names, all of which can be had together.

    Also sets what else their scene needs of the run, unless the command line says it: `-m`, `--slot`. Raises
    ConfigurationError for a fault that is not known, cannot be here, or does not fit the others.
    """
    if not config.option.fault:
        return ()
    from rehearsal.faults import FAULTS

    mistakes, faults = [], []
    for name in dict.fromkeys(config.option.fault):
        fault = FAULTS.get(name)
        if fault is None:
            like = difflib.get_close_matches(name, FAULTS, n=3)
            hint = f" ({' or '.join(like)}?)" if like else ""
            mistakes.append(f"--fault: found {name!r}, allowed a fault that `--fault list` lists{hint}")
        elif fault.do is None:
            mistakes.append(f"--fault: found {name!r}, which no rehearsal can have: {fault.proof} proves it")
        elif reason := fault.needs():
            mistakes.append(f"--fault: found {name!r}, which cannot be had here: {reason}")
        else:
            faults.append(fault)
    scenes = {fault.scene.name: fault.scene for fault in faults}
    if len(scenes) > 1:
        mistakes.append(f"--fault: found faults of {', '.join(scenes)}, allowed those of one state of the system")
    if mistakes:
        raise ConfigurationError(mistakes)
    scene = faults[0].scene
    config.option.markexpr = config.option.markexpr or scene.markers
    config.option.slot = config.option.slot or scene.slot
    return faults


def changes(faults: Sequence[Fault]) -> list[Mapping[str, Any]]:
    """What the faults and their scene change in the environment file."""
    return [*(faults[0].scene.changes for _ in faults[:1]), *(fault.changes for fault in faults)]


def start_broken(config: pytest.Config, faults: Sequence[Fault]) -> Mapping[str, str]:
    """Start a rehearsal that ends with this run, break it, and return its variables."""
    import rehearsal
    from rehearsal.faults import broken

    undoing = contextlib.ExitStack()
    config.add_cleanup(undoing.close)
    whole = undoing.enter_context(rehearsal.private())
    undoing.enter_context(broken(whole, faults))
    if config.option.history is None:
        # What a broken system measured must not stand among what sound ones did.
        config.option.history = f"sqlite:///{whole.layout.history}"
    return whole.variables()


def refuse(path: Path, faults: Sequence[Fault]) -> None:
    """Raise ConfigurationError: nothing real is broken on purpose."""
    if faults:
        raise ConfigurationError([f"--fault: found {path}, allowed only environments that are provided_by: rehearsal"])


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if not config.option.fault or is_worker(config):
        return
    from rehearsal.faults import FAULTS

    for name in dict.fromkeys(config.option.fault):
        terminalreporter.write_line(f"Broken on purpose: {FAULTS[name].title} ({name}; turns {turning(FAULTS[name])})")
