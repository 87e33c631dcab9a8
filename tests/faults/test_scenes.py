"""While all is well, a run tells nothing: in every state of the system that faults are applied to."""

from __future__ import annotations

import pytest

from rehearsal import faults
from tests.faults.conftest import Stage
from tests.faults.exactness import OF_THE_MACHINE, REHEARSED

SCENES = {fault.scene.name: fault.scene for fault in REHEARSED.values()}


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_nothing_is_told_while_all_is_well(stage: Stage, scene: faults.Scene) -> None:
    seen = stage.well(scene)
    odd = {
        name: (verdict, stage.sentences.get(name))
        for name, verdict in seen.items()
        if verdict not in ("normal", "not applicable") and not (verdict == "warning" and name in OF_THE_MACHINE)
    }
    assert not odd
    assert len(seen) >= 3
