"""What several checks judge alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from opsverify.config.bands import AtMost, Verdict

if TYPE_CHECKING:
    from opsverify.judgements.expect import Expect
    from opsverify.probes.host.logs.window import Window


def readable(window: Window, expect: Expect, silence: Verdict = Verdict.WARNING) -> bool:
    """Whether a log is there and speaks of its window. Absence is an alert, part of a window a warning.

    A check judges what a log says only when this is True: of a log that says nothing, nothing good is known.
    """
    name = window.source
    there = f"{name}: {window.in_words}" if window.exists else f"no {name}"
    if not expect.that(window.exists, observed=there, expected=name):
        return False
    if window.silent:
        observed = f"{name}: not one entry in the last {window.hours:g} h"
        return expect.that(False, observed=observed, expected="a log that is written", otherwise=silence)
    whole = f"the last {window.hours:g} h"
    expect.that(window.complete, observed=there, expected=whole, otherwise=Verdict.WARNING)
    return True


def within(limits: Mapping[str, float], value: float, observed: str, expect: Expect, unit: str = "") -> None:
    """Hold a figure against limits that are a setting, `{below: …, alert_above: …}`, because the item's band is
    another figure's."""
    band = AtMost(below=limits["below"], alert_above=limits["alert_above"], unit=unit)
    verdict = band.judge(value)
    expect.that(verdict is Verdict.NORMAL, observed=observed, expected=str(band), otherwise=verdict)
