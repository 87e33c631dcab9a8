"""Every HTTP target hostile at once, in one run: bounded time and memory, and reports that harm nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from opsverify.config.environment import KINDS
from tests.hostile.conftest import Run, Runner
from tests.hostile.poison import planted
from tests.hostile.servers import BEHAVIOURS, hostile
from tests.plugin.conftest import Project


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with hostile() as address:
        yield address


def environment(address: str) -> str:
    lines = []
    for kind in ("apis", "frontends", "proxies"):
        lines.append(f"{kind}:")
        for name in BEHAVIOURS:
            more = f", http_url: '{address}/{name}'" if kind == "proxies" else ""
            lines.append(f"  {name}: {{url: '{address}/{name}'{more}}}")
    lines.append("documents:")
    lines += [f"  {name}: {{holds: runbook, location: '{address}/{name}'}}" for name in BEHAVIOURS]
    excused = [f"  {kind}: none here" for kind in KINDS if f"{kind}:" not in lines]
    return "\n".join([*lines, "not_applicable:", "  operations-log: no log of operations here", *excused, ""])


def test_hostile_servers_cost_bounded_time_and_memory_and_harm_no_report(
    project: Project, suite: Runner, address: str, harmless: Callable[[Run], str]
) -> None:
    project.environment("hostile", environment(address), excused=False)
    start = suite("--env", "hostile", "--collect-only", "-q").seconds  # what this machine takes for nothing
    done = suite("--env", "hostile", "-v", "--probe-durations")
    assert done.code == 1, done.output
    assert done.seconds < 40 + 10 * start, "the longest probe has 20 s"
    page = harmless(done)
    assert not {"normal", "warning"} & set(done.verdicts("test_api_health[", "test_frontend_reachable").values())
    timed = done.verdicts("test_api_response_time[")
    judged = [name for name, verdict in timed.items() if verdict in ("normal", "warning")]
    own = ("surrogates", "script", "shapeless")  # which answer, at whatever speed this machine has, or fail to
    assert [name for name in judged if not name.endswith(tuple(f"[{one}]" for one in own))] == []
    assert {"api-error", "title"} <= planted(page), planted(page)
    assert "title" in planted(done.output)  # where what many have in common is told once
