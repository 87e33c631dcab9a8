"""`python -m opsverify.discover SOURCE… -o FILE`.

Exit code 0: the file was written, or nothing differs from it. 1: it differs, and was left as it is. 2: mistakes of
arguments, or the file is no environment file. 3: a source could not be looked at, or the file could not be written;
whatever else was found is written or told all the same.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from opsverify.config.items import Item
from opsverify.config.loading import load_environment, load_items
from opsverify.discover.absent import USUAL, Absences, fill_in, placeholder
from opsverify.discover.arguments import Wanted, wanted
from opsverify.discover.difference import differences
from opsverify.discover.draft import Draft
from opsverify.discover.editing import edited
from opsverify.discover.looking import look
from opsverify.discover.seen import Seen
from opsverify.discover.trying import Tried, attempt
from opsverify.discover.understanding import understand
from opsverify.discover.writing import schema_from, text_of
from opsverify.errors import ConfigurationError
from opsverify.probes.host.surroundings.units import Units
from opsverify.reporting.text import Redactor, printable, printable_block

AGREES, DIFFERS, MISTAKES, LOST = 0, 1, 2, 3


def main(arguments: Sequence[str], root: Path, now: datetime) -> int:
    """Look, and write or compare, for the suite in `root` as of `now` (aware)."""
    try:
        asked = wanted(arguments)
        items = load_items(root / "checks" / "runbook.yaml")
    except ConfigurationError as error:
        return _told(error.mistakes, MISTAKES)
    redactor = Redactor(asked.secrets)
    seen = look(asked)
    for lost in seen.lost:
        print(redactor.printable(f"not looked at: {lost}", 2000), file=sys.stderr)
    if asked.out.exists():
        code = _compare(asked, seen, items, root, now, redactor)
    else:
        code = _write_first(asked, seen, items, root, now, redactor)
    return code if code > DIFFERS else LOST if seen.lost else code


def _told(sentences: Sequence[str], code: int) -> int:
    for sentence in sentences:
        print(printable(sentence, 2000), file=sys.stderr)
    return code


def drafted(
    asked: Wanted, seen: Seen, items: Mapping[str, Item], root: Path, now: datetime, redactor: Redactor
) -> tuple[Draft, str, Tried]:
    """What the file will say, as a draft and as text, and whether the suite takes it."""
    day, when = now.strftime("%Y-%m-%d"), now.strftime("%Y-%m-%d %H:%M")
    draft = Draft(f"My Cats {asked.out.stem}", list(asked.sources))
    if asked.out.stem == "development":
        draft.settings["node_env"] = "development"
    understand(seen, draft, str(asked.ca_file.resolve()) if asked.ca_file else None)
    absences = fill_in(seen, draft, asked, day)

    def text() -> str:
        return text_of(draft, when, schema_from(asked.out, root), redactor)

    tried = _made_whole(draft, absences, seen, day, lambda: attempt(text(), asked.out.name, root, items))
    return draft, text(), tried


def _write_first(
    asked: Wanted, seen: Seen, items: Mapping[str, Item], root: Path, now: datetime, redactor: Redactor
) -> int:
    draft, text, tried = drafted(asked, seen, items, root, now, redactor)
    if not tried.taken:
        print("The suite would not take the file, please report this; nothing was written:", file=sys.stderr)
        return _told(_refusals(tried, redactor), LOST)
    if problem := _written(asked.out, text):
        return _told([problem], LOST)
    _summary(draft, asked, redactor)
    return AGREES


def _made_whole(draft: Draft, absences: Absences, seen: Seen, day: str, attempt_now: Callable[[], Tried]) -> Tried:
    """Add what only the checks know: that they find no target of the sort they are about."""
    everywhere = ", ".join(host.host.name for host in seen.hosts) or "what was given"
    tried = Tried()
    for _ in range(4):
        tried = attempt_now()
        if not tried.nothing or tried.mistakes:
            return tried
        for check, missing in tried.nothing:
            reason = absences.reason_for(missing)
            usual = next((one for one in USUAL if one.value and one.value in missing), USUAL[0])
            looked_by = (Units,) if missing.endswith("with a unit") else usual.seen_by
            hidden = [] if reason else seen.hidden(*looked_by)
            if hidden and not any(entry.unread and entry.kind == usual.kind for entry in draft.entries):
                draft.add(placeholder(usual, seen, draft, hidden))
            else:
                draft.excuses[check] = reason or f"no {missing} was found on {everywhere} ({day})"
    return tried


def _compare(
    asked: Wanted, seen: Seen, items: Mapping[str, Item], root: Path, now: datetime, redactor: Redactor
) -> int:
    try:
        text = asked.out.read_text(encoding="utf-8-sig")
        names = re.findall(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", text)
        loaded = load_environment(asked.out, items, {name: os.environ.get(name) or "to-be-set" for name in names})
    except (ConfigurationError, OSError, UnicodeDecodeError) as error:
        return _told(getattr(error, "mistakes", [f"{asked.out}: {error.__class__.__name__}"]), MISTAKES)
    draft = drafted(asked, seen, items, root, now, redactor)[0]
    told = differences(loaded.environment, draft, seen)
    for change in told:
        print(redactor.printable(change.sentence, 1000))
    changes = [change for change in told if change.what != "note"]
    if not changes:
        print(f"{asked.out}: agrees with what there is")
        return AGREES
    done = edited(text, changes, asked.out, redactor)
    for refused in done.refused:
        print(redactor.printable(f"! not changed: {refused}", 2000))
    if done.text == text:
        return DIFFERS
    print()
    for line in difflib.unified_diff(
        text.splitlines(), done.text.splitlines(), str(asked.out), "with --write", "", "", 2, ""
    ):
        print(line[:1] + printable_block(line[1:], 2000))
    if not asked.write:
        print(f"\n{asked.out} was left as it is; --write changes it so.")
        return DIFFERS
    tried = attempt(done.text, asked.out.name, root, items)
    if not tried.taken:
        print("\nThe suite would not take the changed file, so it was left as it is:", file=sys.stderr)
        return _told(
            [*tried.mistakes, *(f"{check}: found no {missing} to check" for check, missing in tried.nothing)], LOST
        )
    if problem := _written(asked.out, done.text):
        return _told([problem], LOST)
    print(f"\n{asked.out} was changed.")
    left = done.refused or any(change.what == "gone" for change in changes)
    return DIFFERS if left else AGREES


def _refusals(tried: Tried, redactor: Redactor) -> list[str]:
    nothing = (f"{check}: found no {missing} to check" for check, missing in tried.nothing)
    return [redactor.clean(line) for line in (*tried.mistakes, *nothing)]


def _diff(old: str, new: str, name: str) -> Iterator[str]:
    return difflib.unified_diff(old.splitlines(), new.splitlines(), name, "with --write", n=2, lineterm="")


def _written(path: Path, text: str) -> str:
    """Write a file whole or not at all; what went wrong, "" for nothing."""
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        target = path.resolve()
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(name, mode)
            os.replace(name, target)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        return f"{path}: could not be written: {error.strerror}"
    return ""


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _summary(draft: Draft, asked: Wanted, redactor: Redactor) -> None:
    unread = [entry for entry in draft.entries if entry.unread]
    guesses = sum(len(entry.guesses) for entry in draft.entries)
    missing = sum(len(entry.missing) for entry in draft.entries)
    found = len(draft.entries) - len(unread)
    counts = f"{found} targets found, {guesses} values guessed, {missing} notes of what is missing"
    print(f"{asked.out}: {counts}, {len(draft.excuses)} excuses")
    for entry in unread:
        print(redactor.printable(f"could not be read: {entry.kind}.{entry.name}: {entry.unread}", 600))
    if any(one.given for one in asked.databases):
        print("The password on the command line was in the process list and may be in your shell's history: next time, "
              "set its variable and leave it out.")  # fmt: skip
    if draft.variables:
        print("Set before a run: " + ", ".join(draft.variables))
    print(f"Read it, then: pytest -m smoke --env={asked.out}")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:], Path.cwd(), datetime.now(UTC)))
