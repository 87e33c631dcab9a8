"""Every fault turns exactly the checks that it says it turns, each to the verdict that it says, and is undone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rehearsal import faults
from rehearsal.faults import Fault
from tests.faults.conftest import Seen, Stage

REHEARSED = {name: fault for name, fault in faults.FAULTS.items() if fault.do is not None}
MODULES = {
    "data": ("database", "backups"),
    "deployment": ("configuration", "release", "slots", "stopped"),
    "operation": ("edge", "processes", "resources"),
    "watching": ("documents", "logs", "maintenance", "security"),
}
"""Areas of the catalogue by the test module that breaks things in them: modules run beside each other."""
OF_THE_MACHINE = ("cpu-usage[here]", "process-resources[here]", "api-response-time[blue]", "cats-response-time[blue]")
"""Figures of a machine that may have other work to do: amber by itself, never red. Exact where a fault declares them."""
LEFT_TO_THE_MACHINE = "normal or warning"


def declared(before: Seen, fault: Fault) -> dict[str, str]:
    """What the fault says it turns, target by target."""
    result = {}
    for subject, verdict in fault.turns.items():
        names = [subject] if "[" in subject else [name for name in before if name.partition("[")[0] == subject]
        result |= dict.fromkeys(names, verdict)
    return result


def exactly(stage: Stage, fault: Fault) -> None:
    """Apply the fault, look, undo it, and hold what was seen against what it declares."""
    if reason := fault.needs():
        pytest.skip(reason)
    before = stage.well(fault.scene)
    state = stage.state()
    try:
        with faults.broken(stage.whole, [fault]):
            now = stage.run(fault.scene, fault)
        after = stage.state()
    except BaseException:
        stage.renew()
        raise
    left = {name: (state.get(name), after.get(name)) for name in {*state, *after} if state.get(name) != after.get(name)}
    if left:
        stage.renew()
    assert not left, "what the fault did was not undone"
    expected = {name: LEFT_TO_THE_MACHINE if name in OF_THE_MACHINE else verdict for name, verdict in before.items()}
    expected |= declared(before, fault)
    wrong = {
        name: (now.get(name, "not run"), expected.get(name, "not run"))
        for name in sorted({*expected, *now})
        if now.get(name, "not run") not in expected.get(name, "not run").split(" or ")
    }
    assert not wrong, "\n".join(
        f"{name}: {found} instead of {meant} ({stage.sentences.get(name, '')})"
        for name, (found, meant) in wrong.items()
    )


def breaking(module: str) -> Callable[[Stage, Fault], None]:
    """The test function of a module: one test for each fault of its areas."""
    own = {name: fault for name, fault in REHEARSED.items() if fault.area in MODULES[module]}

    @pytest.mark.parametrize("fault", own.values(), ids=own)
    def test_turns_what_it_says_and_nothing_else(stage: Stage, fault: Fault) -> None:
        exactly(stage, fault)

    return test_turns_what_it_says_and_nothing_else
