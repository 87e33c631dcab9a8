"""Every fault turns exactly the checks that it says it turns, each to the verdict that it says, and is undone."""

from __future__ import annotations

import pytest

from rehearsal import faults
from rehearsal.faults import Fault
from tests.faults.conftest import Seen, Stage

REHEARSED = {name: fault for name, fault in faults.FAULTS.items() if fault.do is not None}
SCENES = {fault.scene.name: fault.scene for fault in REHEARSED.values()}
OF_THE_MACHINE = ("cpu-usage", "process-resources")
"""Figures of the whole machine, which other work on it turns to amber by itself; looked at where they are declared."""
OF_THE_MACHINE_HERE = [f"{check}[here]" for check in OF_THE_MACHINE]


def declared(before: Seen, fault: Fault) -> dict[str, str]:
    """What the fault says it turns, target by target."""
    result = {}
    for subject, verdict in fault.turns.items():
        names = [subject] if "[" in subject else [name for name in before if name.partition("[")[0] == subject]
        result |= dict.fromkeys(names, verdict)
    return result


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_nothing_is_told_while_all_is_well(stage: Stage, scene: faults.Scene) -> None:
    seen = stage.well(scene)
    odd = {
        name: (verdict, stage.sentences.get(name))
        for name, verdict in seen.items()
        if verdict not in ("normal", "not applicable") and name.partition("[")[0] not in OF_THE_MACHINE
    }
    assert not odd
    assert len(seen) >= 3


@pytest.mark.parametrize("fault", REHEARSED.values(), ids=REHEARSED)
def test_fault_turns_what_it_says_and_nothing_else(stage: Stage, fault: Fault) -> None:
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
    moot = set(OF_THE_MACHINE) - fault.checks
    expected = {**before, **dict.fromkeys(OF_THE_MACHINE_HERE, "normal"), **declared(before, fault)}
    wrong = {
        name: (now.get(name, "not run"), expected.get(name, "not run"))
        for name in sorted({*expected, *now})
        if name.partition("[")[0] not in moot
        and now.get(name, "not run") not in expected.get(name, "not run").split(" or ")
    }
    assert not wrong, "\n".join(
        f"{name}: {found} instead of {meant} ({stage.sentences.get(name, '')})"
        for name, (found, meant) in wrong.items()
    )
