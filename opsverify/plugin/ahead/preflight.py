"""`--preflight`: every target is asked once, and what a full run lacks is told with the command that grants it.

Nothing is probed that a run would not probe: the checks are judged as in a run, and those that could not find out what
they promise say why. What is wrong with the system itself is not told here: that is what runs are for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from opsverify.config.environment import BackupStore, Environment, Folder, Host, Service
from opsverify.errors import Cause, ProbeError, Unreachable
from opsverify.evidence.collect import Evidence
from opsverify.plugin.ahead.accounts import account_of, sudo_of, user_of
from opsverify.plugin.ahead.plan import printed, subject_of, way_of, wrap
from opsverify.plugin.ahead.remedies import Lack, Remedy, Whom, remedy
from opsverify.plugin.evidence import asks, gather
from opsverify.plugin.exit_code import FAILED, NOTHING_JUDGED, OK
from opsverify.plugin.state import CASE, RUN, Case
from opsverify.reporting.collected import Results
from opsverify.reporting.results import Outcome, Result

WORDS = {
    "en": {
        "head": "Preflight of {title}: checks {checks}, targets asked {targets}.",
        "drills": "Not tried, as a drill would act: {names}",
        Lack.UNREACHABLE: "Not reached",
        Lack.PRIVILEGE: "Privileges",
        Lack.EXTENSION: "Extensions",
        Lack.PROGRAM: "Programs",
        Lack.LOGIN: "Logins",
        Lack.CLOCK: "Clocks",
        Lack.OTHER: "Not known for another reason",
        "for": "for {names}",
        "nothing": "Nothing is missing: a full run can find out all that it asks.",
        "nothing of these": "Nothing is missing for these checks; the others were not asked.",
        "unjudged": "NOTHING WAS JUDGED: this says nothing of what a run lacks.",
        "missing": "{n} things are missing for a full run.",
        "missing 1": "1 thing is missing for a full run.",
    },
    "ja": {
        "head": "{title} の事前確認: チェック {checks} 件、対象 {targets} 件に問い合わせました。",
        "drills": "訓練は実際に動作するため未確認: {names}",
        Lack.UNREACHABLE: "到達できない対象",
        Lack.PRIVILEGE: "権限",
        Lack.EXTENSION: "拡張機能",
        Lack.PROGRAM: "プログラム",
        Lack.LOGIN: "ログイン",
        Lack.CLOCK: "時計",
        Lack.OTHER: "その他の理由で判定できないもの",
        "for": "影響するチェック: {names}",
        "nothing": "不足はありません。すべての確認を実施できます。",
        "nothing of these": "選択したチェックに不足はありません（ほかのチェックは確かめていません）。",
        "unjudged": "何も判定されていません。不足の有無は分かりません。",
        "missing": "完全な実行には {n} 件が不足しています。",
        "missing 1": "完全な実行には 1 件が不足しています。",
    },
}

_CLOCKS = ("clock-skew", "time-synchronised")
"""Checks whose failure makes others' times wrong."""
_IN_PART = re.compile(
    r"this account may (?:not |read )|may not be (?:seen|read) by this account|[^;] may not be read\b"
)
"""What a check says that has judged with less than it asks for."""


@dataclass
class Missing:
    """One thing that is missing, and the checks that would need it."""

    where: str
    sentence: str
    remedy: Remedy
    checks: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """What is said, and the exit code: that of a run in which what is missing fails."""

    lines: list[str]
    code: int


def look(session: pytest.Session, items: Sequence[pytest.Item]) -> Found:
    """Ask, judge, and say what is missing."""
    config = session.config
    run = config.stash[RUN]
    drills = [item for item in items if any(way_of(query.probe).startswith("drills.") for query in asks(item))]
    tried = [item for item in items if item not in drills and not item.stash[CASE].excuse]
    gather(config, tried)
    found: dict[tuple[str, str], Missing] = {}
    for item in tried:
        for cause in _lost(run.evidence, item):
            _add(found, item.stash[CASE], cause.target, cause.message, unreachable=True)
    judged = 0
    for case, result in _judged(tried):
        judged += result.outcome.judged
        for sentence in _lacking(result):
            where, said = result.cause.partition(": ")[::2] if result.cause else (_place(case), sentence)
            clock = result.runbook in _CLOCKS and result.outcome.judged
            grants = _clock(_whom(case, where)) if clock else None
            _add(found, case, where, said, grants, unreachable=result.outcome is Outcome.BLOCKED)
    for sentence in dict.fromkeys(_lacking_here(drills)):
        missing = Missing("", sentence, remedy(sentence, Whom()))
        missing.checks["restore-drill"] = None
        found["", sentence] = missing
    language = config.option.language or run.environments[0].environment.language
    words = WORDS[language]
    targets = {subject_of(query).identity for item in tried for query in asks(item)}
    head = words["head"].format(title=run.title, checks=f"{len(tried):,}", targets=f"{len(targets):,}")
    lines = [*wrap(head, 0), *_told(list(found.values()), words)]
    if drills:
        names = ", ".join(dict.fromkeys(item.stash[CASE].item.id for item in drills))
        lines += ["", *wrap(words["drills"].format(names=names), 0)]
    last = words["missing 1" if len(found) == 1 else "missing"].format(n=f"{len(found):,}")
    if not found:
        some = config.option.keyword or config.option.markexpr or config.args_source.name == "ARGS"
        last = words[("nothing of these" if some else "nothing") if judged else "unjudged"]
    code = FAILED if found else OK if judged else NOTHING_JUDGED
    return Found(printed([*lines, "", last], run.redactor), code)


def _judged(items: Sequence[pytest.Item]) -> Iterator[tuple[Case, Result]]:
    """Each check with its result, as a run has it, without anybody being told."""
    from _pytest.runner import runtestprotocol

    for item, following in pairwise([*items, None]):
        assert item is not None
        results = Results()
        for report in runtestprotocol(item, log=False, nextitem=following):
            results.pytest_runtest_logreport(report)
        yield from ((item.stash[CASE], result) for result in results.all())


def _lacking(result: Result) -> Iterator[str]:
    """Why a check could not find out all that it asks for, a sentence each; nothing where it could."""
    if result.outcome in (Outcome.UNDETERMINED, Outcome.BLOCKED, Outcome.BROKEN):
        yield result.sentence
    elif "moreover, " in result.sentence:
        yield result.sentence.partition("moreover, ")[2]
    elif result.runbook in _CLOCKS and result.outcome in (Outcome.ALERT, Outcome.WARNING):
        yield result.sentence
    elif _IN_PART.search(said := result.sentence or result.observed):
        yield said


def _lacking_here(drills: Iterable[pytest.Item]) -> Iterator[str]:
    """Why this machine could not restore a dump."""
    from opsverify.drills.server import suitable

    if any(item.stash[CASE].item.id == "restore-drill" for item in drills):
        try:
            suitable(None)
        except ProbeError as error:
            yield str(error)


def _lost(evidence: Evidence, item: pytest.Item) -> Iterator[Cause]:
    """The targets of a check that gave no answer at all: for some checks that is the answer, which they judge."""
    for query in asks(item):
        try:
            evidence.of(query)
        except Unreachable as error:
            if error.cause is not None:
                yield error.cause
        except ProbeError:
            continue


def _add(
    found: dict[tuple[str, str], Missing],
    case: Case,
    where: str,
    said: str,
    grants: Remedy | None = None,
    *,
    unreachable: bool,
) -> None:
    grants = grants or remedy(said, _whom(case, where), unreachable=unreachable)
    # What one command grants is one thing, however many questions are refused for it.
    key = (where, "\n".join(grants.commands) or said)
    found.setdefault(key, Missing(where, said, grants)).checks[case.item.id] = None


def _clock(whom: Whom) -> Remedy:
    by = f"as root on {whom.host}" if whom.host else ""
    return Remedy(Lack.CLOCK, by, ("timedatectl set-ntp true",) if whom.host else ())


def _place(case: Case) -> str:
    host = _host(case)
    return host.label if host else case.target.label if case.target else ""


def _host(case: Case) -> Host | None:
    target: Any = case.target
    return target if isinstance(target, Host) else case.environment.hosts.get(getattr(target, "host", None) or "")


def _whom(case: Case, where: str) -> Whom:
    """Whom a check of that target asks by, and whom through its other targets: a release has a database, too."""
    environment, target = case.environment, case.target
    host, database = _host(case), _database(environment, target)
    known: dict[str, str] = {}
    if host is not None and not where.startswith("database "):
        account = sudo_of(host) or user_of(host)
        known |= {"host": host.name, "connection": host.connection, "account": account}
    if isinstance(target, Service):
        known["unit"] = target.unit or ""
    if isinstance(target, BackupStore | Folder):
        known["folder"] = target.path
    if database is not None and (host is None or not where.startswith("host ")):
        server, port, name = database.location
        known |= {"server": f"{server or 'localhost'}:{port}", "database": name, "role": account_of(database)}
    elif database is not None:
        _, _, name = database.location
        known |= {"database": name, "role": account_of(database)}
    return Whom(**known, url=str(getattr(target, "url", "")))


def _database(environment: Environment, target: Any) -> Any:
    if target is not None and target.kind == "databases":
        return target
    return environment.databases.get(getattr(target, "database", None) or "")


def _told(found: Sequence[Missing], words: Any) -> Iterator[str]:
    for lack in Lack:
        own = [missing for missing in found if missing.remedy.lack is lack]
        if own:
            yield from ("", words[lack])
        for missing in own:
            yield from wrap(f"{missing.where}: {missing.sentence}" if missing.where else missing.sentence, 2)
            yield from wrap(words["for"].format(names=", ".join(missing.checks)), 4)
            if missing.remedy.by:
                yield from wrap(f"{missing.remedy.by}:", 4)
            yield from (f"      {command}" for command in missing.remedy.commands)  # in one line, to be pasted
            if missing.remedy.advice:
                yield from wrap(f"({missing.remedy.advice})", 4)


__all__ = ["Found", "Missing", "look"]
