"""`python -m opsverify.discover SOURCE… -o FILE`; what its exit codes mean is in `codes.py`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from opsverify.config.loading import load_items
from opsverify.discover.arguments import wanted
from opsverify.discover.codes import AGREES, DIFFERS, LOST, MISTAKES
from opsverify.discover.comparing import compare
from opsverify.discover.draft import Draft
from opsverify.discover.drafting import Surroundings, drafted, made_whole
from opsverify.discover.looking import look
from opsverify.errors import ConfigurationError
from opsverify.reporting import atomic
from opsverify.reporting.text import Redactor, printable


def main(arguments: Sequence[str], root: Path, now: datetime) -> int:
    """Look, and write or compare, for the suite in `root` as of `now` (aware)."""
    try:
        asked = wanted(arguments)
        items = load_items(root / "checks" / "runbook.yaml")
    except ConfigurationError as error:
        return _told(error.mistakes, MISTAKES)
    redactor = Redactor(asked.secrets)
    seen = look(asked)
    _told([redactor.clean(f"not looked at: {lost}") for lost in seen.lost], LOST)
    if seen.nothing:
        return _told(["no source answered: nothing was written"], LOST)
    of = Surroundings(asked, seen, items, root, now, redactor)
    code = compare(of) if asked.out.exists() else _write(of)
    if any(one.given for one in asked.databases):
        print("The password on the command line was in the process list and may be in your shell's history: next time, "
              "set its variable and leave it out.")  # fmt: skip
    return code if code > DIFFERS or not seen.lost else LOST


def _write(of: Surroundings) -> int:
    draft, absences = drafted(of)
    tried = made_whole(of, draft, absences)
    if not tried.taken:
        print("The suite would not take the file, please report this; nothing was written:", file=sys.stderr)
        return _told([of.redactor.clean(line) for line in tried.lines], LOST)
    try:
        atomic.write(of.asked.out, of.text(draft))
    except OSError as error:
        return _told([f"{of.asked.out}: could not be written: {error.strerror}"], LOST)
    _summary(of, draft)
    return AGREES


def _summary(of: Surroundings, draft: Draft) -> None:
    unread = [entry for entry in draft.entries if entry.unread]
    guesses = sum(len(entry.guesses) for entry in draft.entries)
    missing = sum(len(entry.missing) for entry in draft.entries)
    found = len(draft.entries) - len(unread)
    counts = f"{found} targets found, {guesses} values guessed, {missing} notes of what is missing"
    print(f"{of.asked.out}: {counts}, {len(draft.excuses)} excuses")
    for why in dict.fromkeys(entry.unread for entry in unread):
        names = ", ".join(f"{entry.kind}.{entry.name}" for entry in unread if entry.unread == why)
        print(of.redactor.printable(f"could not be read: {names}: {why}", 1000))
    if draft.variables:
        print("Set before a run: " + ", ".join(draft.variables))
    print(f"Read it, then: pytest -m smoke --env={of.asked.out}")


def _told(sentences: Sequence[str], code: int) -> int:
    for sentence in sentences:
        print(printable(sentence, 2000), file=sys.stderr)
    return code


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:], Path.cwd(), datetime.now(UTC)))
    except KeyboardInterrupt:
        raise SystemExit("interrupted; nothing was written") from None
