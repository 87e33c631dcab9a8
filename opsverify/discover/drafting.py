"""From what was seen to a draft that the suite takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from opsverify.config.environment import KINDS
from opsverify.config.items import Item
from opsverify.discover.absent import USUAL, Absences, fill_in, placeholder
from opsverify.discover.arguments import Wanted
from opsverify.discover.draft import Draft
from opsverify.discover.seen import Seen
from opsverify.discover.trying import Tried, attempt
from opsverify.discover.understanding import understand
from opsverify.discover.writing import schema_from, text_of
from opsverify.probes.host.surroundings.units import Units
from opsverify.reporting.text import Redactor

_ROUNDS = 4
"""An excuse or an entry may bring up what another check lacks; more rounds than that bring up nothing new."""


@dataclass(frozen=True)
class Surroundings:
    """What a draft is made from and for. `now` is aware."""

    asked: Wanted
    seen: Seen
    items: Mapping[str, Item]
    root: Path
    now: datetime
    redactor: Redactor

    @property
    def day(self) -> str:
        return f"{self.now:%Y-%m-%d}"

    def text(self, draft: Draft) -> str:
        """The draft as a file."""
        return text_of(draft, f"{self.now:%Y-%m-%d %H:%M}", schema_from(self.asked.out, self.root), self.redactor)

    def attempt(self, text: str) -> Tried:
        """Whether the suite takes a text as the file."""
        return attempt(text, self.asked.out.name, self.root, self.items)


def drafted(of: Surroundings) -> tuple[Draft, Absences]:
    """What the file will say, but for what only the checks know that they lack."""
    draft = Draft(f"My Cats {of.asked.out.stem}", list(of.asked.sources))
    if of.asked.out.stem == "development":
        draft.settings["node_env"] = "development"
    understand(of.seen, draft, str(of.asked.ca_file.resolve()) if of.asked.ca_file else None)
    _drop_what_no_file_can_say(draft)
    return draft, fill_in(of.seen, draft, of.asked, of.day)


def _drop_what_no_file_can_say(draft: Draft) -> None:
    """A unit may be called what no environment file takes: that costs itself, and is told."""
    for entry in list(draft.entries):
        try:
            KINDS[entry.kind].model_validate({**entry.body, "name": entry.name, "environment": "x"})
        except ValidationError as error:
            key = ".".join(map(str, error.errors()[0]["loc"]))
            draft.entries.remove(entry)
            draft.dropped[entry.kind] = (
                f"{key} {entry.body.get(key)!r} was found ({entry.found}), and no file can say so"
            )
            draft.notices.append(f"{entry.kind}: {draft.dropped[entry.kind]}")


def made_whole(of: Surroundings, draft: Draft, absences: Absences) -> Tried:
    """Add to the draft what only the checks know: that they find no target of the sort they are about."""
    everywhere = ", ".join(host.host.name for host in of.seen.hosts) or "what was given"
    tried = Tried()
    for _ in range(_ROUNDS):
        tried = of.attempt(of.text(draft))
        if not tried.nothing or tried.mistakes:
            break
        for check, missing in tried.nothing:
            reason = absences.reason_for(missing)
            usual = next((one for one in USUAL if one.value and one.value in missing), USUAL[0])
            looked_by = (Units,) if missing.endswith("with a unit") else usual.seen_by
            hidden = [] if reason else of.seen.hidden(*looked_by)
            if hidden and not any(entry.unread and entry.kind == usual.kind for entry in draft.entries):
                draft.add(placeholder(usual, of.seen, draft, hidden))
            else:
                draft.excuses[check] = reason or f"no {missing} was found on {everywhere} ({of.day})"
    return tried


__all__ = ["Surroundings", "drafted", "made_whole"]
