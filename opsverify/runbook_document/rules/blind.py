"""Searches that miss what they look for: shown by the log itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opsverify.probes.host.release.named_things import Found
from opsverify.runbook_document import named
from opsverify.runbook_document.rule import Command, Script, System, Words, rule

KIND = "misses what it looks for"

HIT_BY_SIZE, TOO_MANY, NAMED_LEVEL, NUMBERED_LEVEL = 0, 1, 2, 3
"""Which of SAMPLES: 200 with 4042 bytes, 429, {"level":"error"}, {"level":50}."""
_ERRORS = re.compile(r"err|fatal|crit|exception|fail", re.IGNORECASE)
_STATUSES = re.compile(r"[45](?:0|\[|\\d|\.)|\[[45]+\]")
_BAD = re.compile(r"error|fatal|critical|crit|alert|emerg|panic|[56]\d", re.IGNORECASE)


def _search(command: Command, script: Script, system: System, holds: str) -> tuple[named.LogSearch, Found] | None:
    wanted = named.search(command, script)
    if wanted is None:
        return None
    log = system.log_of(wanted.path)
    if log is None or system.logs[log] != holds:
        return None
    found = system.search(log, wanted.options, wanted.pattern)
    return (wanted, found) if found is not None else None


@rule(
    KIND,
    needs="the end of the application's log",
    why="{log} holds JSON with levels as {style}, which the pattern does not match{proof}",
    better="{better}",
)
def errors_not_found(command: Command, script: Script, system: System) -> Iterator[Words]:
    """A `grep` for errors that does not match how the application's log writes them; tried on the log."""
    pair = _search(command, script, system, "application")
    if pair is None or not _ERRORS.search(pair[0].pattern):
        return
    found = pair[1]
    levels = [(kind, hit) for kind, hit in found.own if kind and not kind.isspace()]
    if not levels:
        return
    numbered = all(kind.isdigit() for kind, _ in levels)
    sample = NUMBERED_LEVEL if numbered else NAMED_LEVEL
    bad = [hit for kind, hit in levels if _BAD.fullmatch(kind)]
    if found.finds(sample) and (not bad or all(bad)):
        return
    if bad and all(bad):
        return  # whatever they are written like
    style = '"level":50' if numbered else '"level":"error"'
    proof = f": of {len(bad)} errors among its last {len(found.own):,} lines it finds {sum(bad)}" if bad else ""
    pattern = '"level":(50|60)' if numbered else '"level":"(error|fatal)"'
    yield {"log": found.log, "style": style, "proof": proof, "better": f"grep -E '{pattern}'"}


@rule(
    KIND,
    needs="the end of the access log",
    why="the pattern is held against the whole line of {log}: {wrong}{proof}",
    better="""awk '$9 ~ /^[45][0-9][0-9]$/' {log}""",
)
def statuses_not_told_apart(command: Command, script: Script, system: System) -> Iterator[Words]:
    """A `grep` for status codes that matches sizes and paths, and misses codes; tried on the log."""
    pair = _search(command, script, system, "access")
    if pair is None or not _STATUSES.search(pair[0].pattern):
        return
    found = pair[1]
    requests = [(kind, hit) for kind, hit in found.own if re.fullmatch(r"[1-5]\d\d", kind)]
    if found.own and not requests:
        return  # of another format
    false_hits = sum(hit for kind, hit in requests if kind[0] not in "45")
    missed = sum(not hit for kind, hit in requests if kind[0] in "45")
    wrong = []
    if found.finds(HIT_BY_SIZE) or false_hits:
        wrong.append("it finds sizes and paths (a 200 of 4042 bytes)")
    if not found.finds(TOO_MANY) or missed:
        wrong.append("it misses others (429)")
    if not found.finds(HIT_BY_SIZE) and not false_hits and not missed:
        return
    shows = f"it shows {false_hits} that were answered well, and misses {missed} errors"
    proof = f"; of its last {len(requests):,} requests {shows}" if requests else ""
    yield {"log": found.log, "wrong": ", ".join(wrong), "proof": proof}
