"""Waivers: known failures that somebody answers for until a date."""

from __future__ import annotations

from datetime import UTC

from opsverify.environment import Waiver
from opsverify.plugin.state import Aim


def waiver_of(aim: Aim) -> Waiver | None:
    name = aim.target.name if aim.target else None
    fitting = [w for w in aim.environment.waivers if w.check == aim.item.id and w.target in (None, name)]
    return max(fitting, key=lambda waiver: waiver.expires, default=None)


def waived(waiver: Waiver) -> str:
    until = waiver.expires.astimezone(UTC)
    return f"waived by {waiver.owner} until {until:%Y-%m-%d %H:%M} UTC: {waiver.reason}"
