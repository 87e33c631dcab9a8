"""Every fault turns exactly the checks that it says it turns, each to the verdict that it says, and is undone."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Sequence

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

APART = os.environ.get("OPSVERIFY_FAULTS") == "apart"
MOST_TOGETHER = 6
MOST_CHECKS = 2
"""Faults that turn more checks than this are applied alone: they change what others could show."""


def plainest(some: Iterable[Fault]) -> set[str]:
    """Names of one fault for every check, that which turns the fewest: the others are `exhaustive`."""
    candidates = sorted(some, key=lambda fault: (len(fault.checks), fault.name))
    chosen: dict[str, Fault] = {}
    for check in sorted(set().union(*(fault.checks for fault in candidates))):
        if not any(check in fault.checks for fault in chosen.values()):
            fault = next(fault for fault in candidates if check in fault.checks)
            chosen[fault.name] = fault
    return set(chosen)


PLAINEST = plainest(REHEARSED.values())


def together(some: Iterable[Fault]) -> list[tuple[Fault, ...]]:
    """Companies of faults to apply at the same time: of one scene, each turning checks that no other of it turns.

    A run for each fault takes three times as long. OPSVERIFY_FAULTS=apart does that.
    """
    companies: list[list[Fault]] = []
    for fault in some:
        for company in companies:
            if (
                not APART
                and not measured_by_time(fault, company[0])
                and len(company) < MOST_TOGETHER
                and len(fault.checks) <= MOST_CHECKS >= len(company[0].checks)
                and fault.scene is company[0].scene
                and not any(fault.checks & other.checks or fault.changes.keys() & other.changes for other in company)
            ):
                company.append(fault)
                break
        else:
            companies.append([fault])
    return [tuple(company) for company in companies]


def measured_by_time(*some: Fault) -> bool:
    """Whether one of the faults turns a figure that depends on how busy the machine is."""
    return any(fault.turns.keys() & set(OF_THE_MACHINE) for fault in some)


def declared(before: Seen, faults: Iterable[Fault]) -> dict[str, str]:
    """What the faults say they turn, target by target."""
    result = {}
    for subject, verdict in itertools.chain.from_iterable(fault.turns.items() for fault in faults):
        names = [subject] if "[" in subject else [name for name in before if name.partition("[")[0] == subject]
        result |= dict.fromkeys(names, verdict)
    return result


def mistaken(stage: Stage, company: Sequence[Fault]) -> str:
    """Apply the faults, look, undo them, and hold what was seen against what they declare: what is not as declared."""
    scene = company[0].scene
    before = stage.well(scene)
    state = stage.state()
    try:
        with faults.broken(stage.whole, company):
            now = stage.run(scene, company)
        after = stage.state()
    except BaseException:
        stage.renew()
        raise
    left = {name: (state.get(name), after.get(name)) for name in {*state, *after} if state.get(name) != after.get(name)}
    if left:
        stage.renew()
        return f"what the fault did was not undone: {left}"
    expected = {name: LEFT_TO_THE_MACHINE if name in OF_THE_MACHINE else verdict for name, verdict in before.items()}
    expected |= declared(before, company)
    wrong = {
        name: (now.get(name, "not run"), expected.get(name, "not run"))
        for name in sorted({*expected, *now})
        if now.get(name, "not run") not in expected.get(name, "not run").split(" or ")
    }
    return "\n".join(
        f"{name}: {result} instead of {meant} ({stage.sentences.get(name, '')})"
        for name, (result, meant) in wrong.items()
    )


def breaking(module: str) -> Callable[[Stage, Fault], None]:
    """The test function of a module: one test for each fault of its areas, one of each check in the short run."""
    own = {name: fault for name, fault in REHEARSED.items() if fault.area in MODULES[module]}
    plain = [fault for name, fault in own.items() if name in PLAINEST]
    others = [fault for name, fault in own.items() if name not in PLAINEST]
    company_of = {fault.name: company for some in (plain, others) for company in together(some) for fault in company}
    exact: dict[str, bool] = {}
    cases = [pytest.param(fault, id=fault.name) for fault in plain]
    cases += [pytest.param(fault, id=fault.name, marks=pytest.mark.exhaustive) for fault in others]

    @pytest.mark.parametrize("fault", cases)
    def test_turns_what_it_says_and_nothing_else(stage: Stage, fault: Fault) -> None:
        if reason := fault.needs():
            pytest.skip(reason)
        company = tuple(other for other in company_of[fault.name] if not other.needs())
        if len(company) > 1:
            names = " ".join(other.name for other in company)
            if names not in exact:
                output = mistaken(stage, company)
                print(f"together: {names}\n{output}")
                exact[names] = not output
            if exact[names]:
                return
        # Alone, too, where the company was not exact: whose mistake it is, or that they only disturb each other.
        output = mistaken(stage, [fault])
        assert not output, output

    return test_turns_what_it_says_and_nothing_else
