"""kill -9 at any moment: the history stays whole, nothing keeps running or lying about, and the next run works.

OPSVERIFY_KILLS=50 kills more often than the ordinary test run does.
"""

from __future__ import annotations

import os
import random
import signal
import time

import pytest

from tests.crash.conftest import Place

KILLS = int(os.environ.get("OPSVERIFY_KILLS", "10"))
OWN, PAIRS = KILLS * 3 // 10, {(): KILLS // 4, ("-n", "2"): KILLS // 10}
"""Those that start their own, and pairs that attach: 3 + 2 × (2 + 1) of 10."""


def moments(count: int, until: float) -> list[float]:
    """Moments at which to kill, one in each of `count` equal parts of a run: random, and none left out."""
    chance = random.Random()
    return [until * (part + chance.random()) / count for part in range(count)]


def test_killed_runs_that_started_their_own_rehearsal(alone: Place) -> None:
    began = time.monotonic()
    code, output = alone.run()
    whole_seconds = time.monotonic() - began
    assert code in (0, 1), output
    assert alone.processes() == []
    assert alone.remains() == []
    expected = alone.runs()
    for moment in moments(OWN, whole_seconds):
        child = alone.start()
        time.sleep(moment)
        child.send_signal(signal.SIGKILL)
        child.wait()
        began = time.monotonic()
        assert alone.await_quiet() == [], f"killed after {moment:.2f} s of {whole_seconds:.2f}"
        print(f"killed after {moment:.2f} s, quiet after {time.monotonic() - began:.2f}")
        assert {run[2] for run in alone.runs()} == {expected[0][2]}, "a run in the history is not whole"
        assert not any(partial for _, partial, _ in alone.runs())
    before = len(alone.runs())
    code, output = alone.run()
    assert code in (0, 1), output
    assert len(alone.runs()) == before + 1
    assert alone.await_quiet() == []
    assert alone.remains() == []


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one", "workers"])
def test_killed_runs_beside_one_another(attached: Place, workers: tuple[str, ...]) -> None:
    """Two at a time, on one rehearsal and one history."""
    began = time.monotonic()
    code, output = attached.run(*workers)
    whole_seconds = time.monotonic() - began
    assert code in (0, 1), output
    (expected,) = {run[2] for run in attached.runs()}
    for pair, moment in enumerate(moments(PAIRS[workers], whole_seconds * 1.4)):
        children = [attached.start(*workers, name=f"said-{pair}-{number}") for number in range(2)]
        time.sleep(moment)
        for child in children:
            child.send_signal(signal.SIGKILL)
        for child in children:
            child.wait()
        assert attached.await_quiet() == [], f"killed after {moment:.2f} s of {whole_seconds:.2f}"
        assert {run[2] for run in attached.runs()} == {expected}, "a run in the history is not whole"
        assert not any(partial for _, partial, _ in attached.runs())
    before = len(attached.runs())
    code, output = attached.run(*workers)
    assert code in (0, 1), output
    assert len(attached.runs()) == before + 1
    assert attached.await_quiet() == []
    assert attached.remains() == []
