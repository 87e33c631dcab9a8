"""`--plan`: what a run would ask of each target, by whom, what that takes and what it decides. Contacts nothing.

It is made of the very queries that a run would send, and of what each question says of its privileges in its docstring.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from opsverify import privileges
from opsverify.config.environment import KINDS
from opsverify.evidence.query import Query
from opsverify.plugin.ahead.accounts import NOBODY, account_of, address_of
from opsverify.plugin.evidence import asks
from opsverify.plugin.parametrize import UNASKED
from opsverify.plugin.state import CASE, RUN
from opsverify.reporting.ranges import short
from opsverify.reporting.terminal import wrapped
from opsverify.reporting.text import Redactor

WIDTH = 80

WORDS = {
    "en": {
        "head": "Plan of {title}: checks {checks}, targets {targets}. Nothing was contacted.",
        "account": "account",
        "needs": "needs",
        "none": "no privilege",
        "decides": "decides",
        "seconds": "at most {n:g} s",
        "alike": "{n} alike: {names}",
        "excused": "Not applicable here, so nobody is asked: {names}",
        "unasked": "Left out, as they run only when asked for: {names}",
        "after": "Where something failed, the runbook's first steps are taken once on its host: states, log, journal.",
        "kept": "Results are kept in {label}.",
        "told": "Channels that are told of a change of state: {names}.",
        "nobody": NOBODY,
    },
    "ja": {
        "head": "{title} の実行計画: チェック {checks} 件、対象 {targets} 件。どこにも接続していません。",
        "account": "アカウント",
        "needs": "必要な権限",
        "none": "権限は不要",
        "decides": "判定するチェック",
        "seconds": "最長 {n:g} 秒",
        "alike": "同じもの {n} 件: {names}",
        "excused": "この環境では対象外（問い合わせなし）: {names}",
        "unasked": "指定されたときだけ実行するため除外: {names}",
        "after": "異常があったホストでは、手順書の初動確認（ログ・状態・ジャーナル）を一度だけ行います。",
        "kept": "結果の保存先: {label}",
        "told": "状態の変化を通知する先: {names}",
        "nobody": "なし",
    },
}

WAYS = {
    "host.probe.probe": ("one script for all questions, over one connection", "1 回の接続で 1 つのスクリプト"),
    "host.probe.archive_probe": ("the same apart, for what takes minutes", "時間のかかるものを別の接続で"),
    "host.probe.audit_probe": ("the same apart, for what asks a package registry", "レジストリへの照会を別の接続で"),
    "postgres.probe.probe": ("one connection, one read-only transaction", "1 回の接続、読み取り専用トランザクション"),
    "http.probe.probe": ("requests over HTTP", "HTTP リクエスト"),
    "tls.probe.probe": ("TLS handshakes", "TLS ハンドシェイク"),
    "tcp.port.probe": ("a TCP connection, closed at once", "TCP 接続（すぐに閉じる）"),
    "tcp.resolution.probe": ("a look-up of the name", "名前解決"),
    "runbook_document.asking.named_probe": (
        "reads the document, then one script for what it names",
        "文書を読み、そこに出てくるものを 1 つのスクリプトで確認",
    ),
    "runbook_document.asking.lint_probe": (
        "reads the document, and has shellcheck here read it",
        "文書を読み、このマシンの shellcheck で検査",
    ),
    "documents.web_document.probe": ("a GET for the document", "文書の取得"),
    "drills.alert.drill_probe": ("SENDS a test alert by its script", "テスト通知を実際に送信"),
    "drills.reference.contents_probe": ("counts in the live database, read only", "稼働中 DB の件数（読み取りのみ）"),
    "drills.restore.restore_probe": ("fetches a dump, restores it HERE", "ダンプを取得し、このマシン上で復元"),
    "drills.unpack.unpack_probe": ("fetches an archive, unpacks it HERE", "アーカイブを取得し、このマシン上で展開"),
}
"""What each probe does with its questions, by its place below `opsverify`, in both languages."""

_PLACES = (
    *("path", "paths", "folder", "checkout_path", "checkouts"),
    *("env_files", "unit", "timer", "pid_file", "container"),
)
"""Fields of questions that say what on a target is looked at."""


@dataclass
class Asked:
    """One kind of question to one target through one probe."""

    question: type
    about: dict[str, None] = field(default_factory=dict)
    """What on the target: paths, units."""
    decides: dict[str, None] = field(default_factory=dict)
    """Checks by id."""
    seconds: float = 0.0


def way_of(probe: Any) -> str:
    """The short name of a probe: `host.probe.probe`."""
    return f"{probe.__module__}.{probe.__name__}".removeprefix("opsverify.").removeprefix("probes.")


def subject_of(query: Query) -> Any:
    """The target that a query is about: one that reads a document first is about the host that it asks then."""
    return getattr(query.target, "subject", query.target)


def about(question: Any) -> Iterator[str]:
    """What on a target a question looks at: paths, units, containers."""
    source = getattr(question, "source", None)
    for one in (question, source):
        for name in _PLACES:
            value = getattr(one, name, None)
            if isinstance(value, str):
                pattern = getattr(one, "pattern", None)
                yield f"{value.rstrip('/')}/{pattern}" if name == "folder" and pattern else value
            elif isinstance(value, tuple):
                yield from (str(part) for part in value)


Key = tuple[str, Any]
"""A probe's short name and its target's identity."""


def asked(items: Iterable[pytest.Item]) -> dict[Key, tuple[Any, dict[type, Asked]]]:
    """Everything that these checks need to be asked, by probe and target."""
    found: dict[Key, tuple[Any, dict[type, Asked]]] = {}
    for item in items:
        for query in asks(item):
            _add(found, query, item.stash[CASE].item.id)
    return found


def _add(found: dict[Key, tuple[Any, dict[type, Asked]]], query: Query, check: str) -> None:
    target = subject_of(query)
    key = (way_of(query.probe), target.identity)
    _, questions = found.setdefault(key, (target, {}))
    one = questions.setdefault(type(query.question), Asked(type(query.question)))
    one.about |= dict.fromkeys(about(query.question))
    one.decides[check] = None
    one.seconds = max(one.seconds, query.seconds)


def lines(config: pytest.Config, items: Sequence[pytest.Item]) -> list[str]:
    """The plan of a run of these checks, wrapped to 80 columns."""
    run = config.stash[RUN]
    language = config.option.language or run.environments[0].environment.language
    words = WORDS[language]
    found = asked(items)
    checks = len([item for item in items if not item.stash[CASE].excuse])
    targets = {identity for _, identity in found}
    text = [*wrap(words["head"].format(title=run.title, checks=f"{checks:,}", targets=f"{len(targets):,}"), 0)]
    for block in _alike(found, language):
        text += ["", *block]
    excused = dict.fromkeys(item.stash[CASE].item.id for item in items if item.stash[CASE].excuse)
    judged = {item.stash[CASE].item.id for item in items if not item.stash[CASE].excuse}
    text.append("")
    if names := [name for name in excused if name not in judged]:
        text += wrap(words["excused"].format(names=", ".join(names)), 0)
    if unasked := config.stash.get(UNASKED, []):
        config.stash[UNASKED] = []  # told here
        counted = ", ".join(f"{unasked.count(name)} × -m {name}" for name in sorted(set(unasked)))
        text += wrap(words["unasked"].format(names=counted), 0)
    if any(target.kind == "hosts" for target, _ in found.values()):
        text += wrap(words["after"], 0)
    for label in dict.fromkeys(location.label for location in run.histories.values() if not location.off):
        text += wrap(words["kept"].format(label=label), 0)
    channels = {
        name: None for one in run.environments if one.environment.notify for name in one.environment.notify.channels
    }
    if channels and not config.option.no_notify:
        text += wrap(words["told"].format(names=", ".join(channels)), 0)
    return printed(text, run.redactor)


class Exact(str):
    """A line of a script: shown as it is, blanks and all."""


def printed(text: Iterable[str], redactor: Redactor) -> list[str]:
    """Lines that are safe to print, as deep as they were."""
    lines = []
    for line in text:
        bare = line.lstrip()
        depth = line[: len(line) - len(bare)]
        lines.append(line if isinstance(line, Exact) else depth + redactor.printable(bare, 2000))
    return lines


def _alike(found: dict[Key, tuple[Any, dict[type, Asked]]], language: str) -> Iterator[list[str]]:
    """A block for each target, one for all that are asked the very same by the same account: a fleet is one block."""
    kinds = list(KINDS)
    by_target: dict[Any, tuple[Any, list[str]]] = {}
    in_order = sorted(found.items(), key=lambda pair: kinds.index(pair[1][0].kind))
    for (way, identity), (target, questions) in in_order:
        _, body = by_target.setdefault(identity, (target, []))
        body += _block(way, questions.values(), language)
    groups: dict[tuple[str, str, tuple[str, ...]], list[Any]] = {}
    for target, body in by_target.values():
        groups.setdefault((target.kind, account_of(target), tuple(body)), []).append(target)
    for (kind, account, alike), targets in groups.items():
        yield [*_head(kind, account, targets, language), *alike]


def _head(kind: str, account: str, targets: Sequence[Any], language: str) -> list[str]:
    words, first = WORDS[language], targets[0]
    head = wrap(f"{first.label}: {address_of(first)}".removesuffix(": "), 0)
    if len(targets) > 1:
        names = short(target.name for target in targets)
        head = wrap(f"{kind}: " + words["alike"].format(n=f"{len(targets):,}", names=names), 0)
    return [*head, *wrap(f"{words['account']}: {words['nobody'] if account == NOBODY else account}", 2)]


def _block(way: str, questions: Iterable[Asked], language: str) -> list[str]:
    words, listed = WORDS[language], list(questions)
    says = WAYS[way][language == "ja"] if way in WAYS else way
    text = wrap(f"{says}, {words['seconds'].format(n=max(one.seconds for one in listed))}", 2)
    for one in listed:
        text += wrap(f"{one.question.__name__}: {', '.join(one.about)}" if one.about else one.question.__name__, 4)
        text += wrap(f"{words['needs']}: {needed(one.question, language)}", 6)
        text += wrap(f"{words['decides']}: {', '.join(one.decides)}", 6)
    return text


def needed(question: type, language: str) -> str:
    """What a question takes, as its docstring says it."""
    said = privileges.need(question)
    return WORDS[language]["none"] if said == "none" else said.removeprefix("Needs ")


def wrap(text: str, indent: int) -> list[str]:
    """A text in lines of 80 columns, the first as deep as `indent`, the others a little deeper."""
    return wrapped(" " * indent + text, WIDTH, indent + 2)


__all__ = ["WAYS", "Exact", "about", "asked", "lines", "needed", "printed", "subject_of", "way_of", "wrap"]
