"""A file that is there, held against what there is."""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Iterator

from opsverify.config.loading import load_environment
from opsverify.discover.codes import AGREES, DIFFERS, LOST, MISTAKES
from opsverify.discover.difference import about_the_same, differences, own_words
from opsverify.discover.drafting import Surroundings, drafted, made_whole
from opsverify.discover.editing import edited
from opsverify.errors import ConfigurationError
from opsverify.reporting import atomic
from opsverify.reporting.text import printable, printable_block


def compare(of: Surroundings) -> int:
    """Tell how the file differs, and with --write change it; the exit code."""
    path = of.asked.out
    try:
        text = path.read_bytes().decode("utf-8")  # its ends of lines stay as they are
        names = re.findall(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", text)
        variables = {name: os.environ.get(name) or "to-be-set" for name in names}
        environment = load_environment(path, of.items, variables).environment
    except ConfigurationError as error:
        return _told(error.mistakes, MISTAKES)
    except (OSError, UnicodeDecodeError):
        return _told([f"{path}: found no readable file of UTF-8, allowed an environment file"], MISTAKES)
    draft, absences = drafted(of)
    if not about_the_same(environment, draft):
        given = ", ".join(of.asked.sources)
        return _told(
            [f"{path}: describes none of {given}: it is another system's, or an example; choose another -o"], MISTAKES
        )
    if any(own_words(why) for why in environment.not_applicable.values()):
        made_whole(of, draft, absences)  # whether those excuses still hold
    differs = differences(environment, draft, of.seen)
    for change in differs:
        print(of.redactor.printable(change.sentence, 1000))
    changes = [change for change in differs if change.what != "note"]
    if not changes:
        print(f"{path}: agrees with what {'could be looked at' if of.seen.lost else 'there is'}")
        return AGREES
    done = edited(text, changes, path, of.redactor)
    for refused in done.refused:
        print(of.redactor.printable(f"! not changed: {refused}", 2000))
    if done.text == text:
        return DIFFERS
    print("", *_diff(text, done.text, str(path)), sep="\n")
    if not of.asked.write:
        print(f"\n{path} was left as it is; --write changes it so.")
        return DIFFERS
    tried = of.attempt(done.text)
    if not tried.taken:
        print(f"\nThe suite would not take the changed file, so {path} was left as it is:", file=sys.stderr)
        return _told([of.redactor.clean(line) for line in tried.lines], LOST)
    try:
        mode = path.stat().st_mode
        atomic.write(path, done.text)
        path.chmod(mode)
    except OSError as error:
        return _told([f"{path}: could not be written: {error.strerror}"], LOST)
    print(f"\n{path} was changed.")
    return DIFFERS if done.refused or any(change.what == "gone" for change in changes) else AGREES


def _diff(old: str, new: str, name: str) -> Iterator[str]:
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), name, "with --write", n=2, lineterm="")
    return (line[:1] + printable_block(line[1:], 2000) for line in lines)


def _told(sentences: list[str] | tuple[str, ...], code: int) -> int:
    for sentence in sentences:
        print(printable(sentence, 2000), file=sys.stderr)
    return code


__all__ = ["compare"]
