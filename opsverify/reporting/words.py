"""The HTML report's own words, in the languages of the operators. Titles and instructions come from the runbook."""

from __future__ import annotations

import re
from collections.abc import Sequence

from opsverify.reporting.change import Change, State
from opsverify.reporting.digest import LABELS, Concern
from opsverify.reporting.ranges import short
from opsverify.reporting.results import Outcome, Result

_PARTS = re.compile(r"observed (.*?), expected (.*?)(?=; observed |$)", re.DOTALL)
"""What `opsverify.judgements.expect.Finding` says in a sentence, one for each thing that is wrong."""

EN = {
    "result": "Result",
    "severity": "Severity",
    "check": "Check",
    "observed": "Observed",
    "expected": "Expected",
    "to do": "What to do",
    "duration": "Duration",
    "normal": "Normal",
    "warning": "Warned",
    "alert": "Alert",
    "undetermined": "Not determined",
    "blocked": "Blocked",
    "broken": "Check broken",
    "waived": "Waived",
    "not applicable": "Not applicable",
    "needs a person": "Needs a person",
    "warnings": "Worth a look",
    "waivers": "Waived: known failures, each owned and dated",
    "declared waivers": "Waivers in the environment file",
    "waiver": "Waiver",
    "in this run": "In this run",
    "terms": "Owner, expiry, reason",
    "all checks": "All checks",
    "show all": "Show all",
    "reason": "Reason",
    "respond by": "Respond by",
    "finding": "Finding",
    "source": "Runbook chapter",
    "schedule": "Schedule",
    "cause": "Cause",
    "made with": "How this report was made",
    "notifications": "Who was notified",
    "environment": "Environment",
    "channel": "Channel",
    "notified": "What of",
    "in maintenance": "In maintenance: nobody",
    "costs": "What the evidence cost",
    "probe": "Probe",
    "costs all": "{n} probes in {seconds} s; the run waited for {slowest}",
    "costs busy": "This machine was the bottleneck: its processors were {share} busy meanwhile",
    "costs openssh": "Through OpenSSH's own client, for {why}: {hosts}",
    "started": "started",
    "could not": "{n} checks could not be determined",
    "could not 1": "1 check could not be determined",
    "where": "{subject} {where}: {names}",
    "on": "on {n} {kind}",
    "on some": "on {n} of {of} {kind}",
    "on all": "on all {n} {kind}",
    "figures": "observed {seen}, expected {meant}",
    "worst": "worst {name}",
    "for example": "for example {name}",
    "as for": "as for {name}",
    "target": "Target",
    "every target": "All {n} targets",
    "new": "new",
    "worse": "worse",
    "worse than": "worse: was {was}",
    "known": "since {age}",
    "known most": "since up to {age}",
    "recovered": "was {was} for {age}",
    "recovered most": "was {was} for up to {age}",
    "flapping": "flapping",
    "runs": "{n} runs",
    "runs 1": "1 run",
    "days": "{n} days",
    "days 1": "1 day",
    "some": "{what} on {n}",
    "some named": "{what} on {n} ({names})",
    "some known": "{n} known",
    "recovered ones": "Recovered",
    "before": "Before",
    "between": ", ",
    "headline fail": "{n} findings need a person",
    "headline fail 1": "1 finding needs a person",
    "headline warn": "Nothing is broken; {n} checks warn",
    "headline warn 1": "Nothing is broken; 1 check warns",
    "headline waived": "No new failure; {n} known ones are waived",
    "headline waived 1": "No new failure; 1 known one is waived",
    "headline normal": "All {n} judged checks are normal",
    "headline normal 1": "The one judged check is normal",
    "headline partial": "Not finished: {n} checks judged so far are normal",
    "headline nothing": "Nothing was judged",
    "nothing judged": "No check reached a verdict. This report says nothing about the system: treat it as a failure.",
    "partial": "Partial report",
    "missing": "Checks are missing below: do not read this as the state of the whole system.",
    "revision": "Revision",
    "selection": "Asked for",
    "everything": "all checks",
    "not looked at": "not looked at in this run",
    "news": "{n} {what}",
    "news unknown": "What is new is not known",
    "state new": "new",
    "state worse": "worse",
    "state known": "known",
    "state recovered": "recovered",
    "verdict": "Result",
    "chapter": "Chapter",
    "state": "State",
    "host": "Host",
    "text": "Text",
    "any": "any",
    "by": "by",
    "filters": "Filters",
    "unfold": "Unfold all",
    "shown": "{n} of {of} rows shown",
    "copy": "Copy",
    "copied": "Copied",
    "to row": "All of this check",
    "to finding": "The finding",
    "first diagnostics": "First diagnostics",
    "last runs": "The last {n} runs",
    "spell": "{verdict} × {runs} since {since}",
    "then": ", before that ",
    "days left": "Days left",
    "left out findings": "{n} more findings are among all checks below; filters find them.",
    "left out findings 1": "1 more finding is among all checks below; filters find it.",
    "left out targets": "{n} more targets are left out to keep this file small; --json FILE has all of them.",
    "left out targets 1": "1 more target is left out to keep this file small; --json FILE has all of them.",
    "left out details": "To keep this file small, the last lines have no details; --json FILE has all of them.",
    "left out diagnostics": "To keep this file small, those of {names} are only in diagnostics-*.txt beside it.",
}

JA = {
    "result": "結果",
    "severity": "優先度",
    "check": "確認項目",
    "observed": "実測",
    "expected": "期待値",
    "to do": "対応",
    "duration": "所要時間",
    "normal": "正常",
    "warning": "注意",
    "alert": "異常",
    "undetermined": "判定不能",
    "blocked": "確認不可",
    "broken": "チェック不良",
    "waived": "免除中",
    "not applicable": "対象外",
    "needs a person": "対応が必要",
    "warnings": "注意が必要",
    "waivers": "免除中（担当者と期限のある既知の異常）",
    "declared waivers": "環境ファイルの免除一覧",
    "waiver": "免除",
    "in this run": "今回の実行",
    "terms": "担当者・期限・理由",
    "all checks": "すべての確認項目",
    "show all": "すべて表示",
    "reason": "理由",
    "respond by": "対応期限",
    "finding": "判定内容",
    "source": "手順書の章",
    "schedule": "実施区分",
    "cause": "原因",
    "made with": "このレポートの作成環境",
    "notifications": "通知",
    "environment": "環境",
    "channel": "通知先",
    "notified": "通知内容",
    "in maintenance": "メンテナンス中（通知なし）",
    "costs": "証拠の収集にかかった時間",
    "probe": "プローブ",
    "costs all": "{n} 件のプローブ、{seconds} 秒。最後まで待ったもの: {slowest}",
    "costs busy": "このマシンがボトルネックでした。その間のプロセッサ使用率は {share} です",
    "costs openssh": "OpenSSH のクライアントを使用（{why}）: {hosts}",
    "started": "開始",
    "could not": "{n} 件の確認ができませんでした",
    "could not 1": "1 件の確認ができませんでした",
    "where": "{subject}（{where}）: {names}",
    "figures": "実測 {seen} / 期待値 {meant}",
    "on": "{kind} {n} 件",
    "on some": "{kind} {of} 件中 {n} 件",
    "on all": "{kind} 全 {n} 件",
    "worst": "最悪値 {name}",
    "for example": "例 {name}",
    "as for": "{name} の場合",
    "target": "対象",
    "every target": "対象 {n} 件すべて",
    "new": "新規",
    "worse": "悪化",
    "worse than": "悪化（前回は{was}）",
    "known": "{age}継続",
    "known most": "最長 {age}継続",
    "recovered": "{was}が {age}継続",
    "recovered most": "{was}が最長 {age}継続",
    "flapping": "不安定（正常と異常を繰り返している）",
    "runs": "{n} 回",
    "runs 1": "1 回",
    "days": "{n} 日間",
    "days 1": "1 日間",
    "some": "{what} {n} 件",
    "some named": "{what} {n} 件（{names}）",
    "some known": "既知 {n} 件",
    "recovered ones": "回復",
    "before": "これまで",
    "between": "、",
    "headline fail": "{n} 件の対応が必要です",
    "headline fail 1": "1 件の対応が必要です",
    "headline warn": "異常はありません。注意が {n} 件あります",
    "headline warn 1": "異常はありません。注意が 1 件あります",
    "headline waived": "新しい異常はありません（免除中の既知の異常 {n} 件）",
    "headline waived 1": "新しい異常はありません（免除中の既知の異常 1 件）",
    "headline normal": "判定した {n} 件はすべて正常です",
    "headline normal 1": "判定した 1 件は正常です",
    "headline partial": "未完了です（判定済みの {n} 件は正常）",
    "headline nothing": "何も判定されていません",
    "nothing judged": "判定できた確認項目がありません。システムの状態を示していないため、失敗として扱ってください。",
    "partial": "部分的なレポート",
    "missing": "実施されていない確認項目があります。システム全体の状態とみなさないでください。",
    "revision": "リビジョン",
    "selection": "対象範囲",
    "everything": "すべての確認項目",
    "not looked at": "今回は未確認",
    "news": "{what} {n} 件",
    "news unknown": "新規かどうかは不明",
    "state new": "新規",
    "state worse": "悪化",
    "state known": "既知",
    "state recovered": "回復",
    "verdict": "結果",
    "chapter": "章",
    "state": "変化",
    "host": "ホスト",
    "text": "文字列",
    "any": "すべて",
    "by": "期限",
    "filters": "絞り込み",
    "unfold": "すべて開く",
    "shown": "{of} 行中 {n} 行を表示",
    "copy": "コピー",
    "copied": "コピーしました",
    "to row": "この確認項目の全内容",
    "to finding": "対応の欄へ",
    "first diagnostics": "初動確認",
    "last runs": "直近 {n} 回",
    "spell": "{verdict} × {runs}（{since} から）",
    "then": "、その前は",
    "days left": "残り日数",
    "left out findings": "ほか {n} 件は下の一覧にあります（絞り込みで表示できます）。",
    "left out findings 1": "ほか 1 件は下の一覧にあります（絞り込みで表示できます）。",
    "left out targets 1": "ファイルを小さくするため、ほか 1 件の対象は省略しています。--json FILE にはすべてあります。",
    "left out targets": "ファイルを小さくするため、ほか {n} 件の対象は省略しています。--json FILE にはすべてあります。",
    "left out details": "ファイルを小さくするため、末尾の行の詳細は省略しています。--json FILE にはすべてあります。",
    "left out diagnostics": "ファイルを小さくするため、{names} の分は同じ場所の diagnostics-*.txt にのみあります。",
}


class Words:
    """`words("check")` in the language chosen; `words.count("could not", 3)` with the number in it."""

    def __init__(self, language: str) -> None:
        self.language = "ja" if language == "ja" else "en"
        self._words = JA if self.language == "ja" else EN

    def __call__(self, key: str) -> str:
        return self._words[key]

    def count(self, key: str, n: int) -> str:
        """The phrase for a number, which has a form of its own for one."""
        return self._words.get(f"{key} 1" if n == 1 else key, self._words[key]).replace("{n}", f"{n:,}")

    def filled(self, key: str, **values: str) -> str:
        """The phrase with those values, which are texts and no templates themselves, in the places named so."""
        return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], self._words[key])

    def name(self, concern: Concern) -> str:
        """`disk-usage on 40 of 1,000 hosts: app001-app032, app040 and 7 more`."""
        if concern.spread is None:
            return concern.subject
        names = short(concern.spread.names)
        return self.filled("where", subject=concern.subject, where=self.where(concern), names=names)

    def where(self, concern: Concern) -> str:
        """`on 40 of 1,000 hosts`; empty for what is about one target."""
        spread = concern.spread
        if spread is None:
            return ""
        n = len(spread.names)
        key = "on all" if spread.of == n else "on some" if spread.of else "on"
        return self.filled(key, n=f"{n:,}", of=f"{spread.of:,}", kind=spread.kind)

    def told(self, concern: Concern) -> str:
        """What was found, with whose figures these are."""
        finding = concern.finding
        parts = _PARTS.findall(finding)
        if parts and finding == "; ".join(f"observed {seen}, expected {meant}" for seen, meant in parts):
            finding = "; ".join(self.filled("figures", seen=seen, meant=meant) for seen, meant in parts)
        return self.among(concern, finding)

    def among(self, concern: Concern, text: str) -> str:
        """A text of the first of many, with its name where others say something else, and the span of all."""
        whose = self.filled("worst" if concern.span else "for example", name=concern.example) if concern.example else ""
        return (f"{whose}: " if whose else "") + text + (f"; {concern.span}" if concern.span else "")

    def change(self, concern: Concern) -> str:
        """What is different since the runs before: `new`, `since 3 runs, 2 days`, `new on 3 (app1-app3), 37 known`.

        Empty where that is not known, and where there is nothing to tell.
        """
        # The targets of checks with one cause are no answer to which of them are new.
        return self.changed(concern.results, named=bool(concern.spread and concern.finding))

    def changed(self, results: Sequence[Result], *, named: bool = False) -> str:
        """The same of any results; `named` says which targets it is about where they differ."""
        changes = [result.change for result in results if result.change]
        parts = []
        states = [state for state in State if any(change.state is state for change in changes)]
        if len(states) == 1:
            parts.append(self._state(states[0], changes))
        for state in states if len(states) > 1 else ():
            names = [result.target for result in results if result.change and result.change.state is state]
            if state is State.KNOWN:
                parts.append(self.count("some known", len(names)))
            else:
                key = "some named" if named else "some"
                parts.append(self.filled(key, what=self(state.value), n=f"{len(names):,}", names=short(names, 3)))
        flapping = sum(change.flapping for change in changes)
        if flapping:
            on = self.filled("some", what=self("flapping"), n=f"{flapping:,}")
            parts.append(self("flapping") if flapping == len(changes) else on)
        return self("between").join(parts)

    def _state(self, state: State, changes: Sequence[Change]) -> str:
        longest = max(changes, key=lambda change: change.runs)
        most = " most" if len({(change.runs, change.days) for change in changes}) > 1 else ""
        if state is State.NEW:
            return self("new")
        if state is State.WORSE:
            same = len({change.was for change in changes}) == 1
            return self.filled("worse than", was=self._was(longest)) if same else self("worse")
        key = "known" if state is State.KNOWN else "recovered"
        return self.filled(f"{key}{most}", age=self._age(longest), was=self._was(longest))

    def _age(self, change: Change) -> str:
        days = [self.count("days", change.days)] if change.days else []
        return self("between").join([self.count("runs", change.runs), *days])

    def _was(self, change: Change) -> str:
        if not change.was:
            return ""
        return LABELS[Outcome(change.was)] if self.language == "en" else self(change.was)

    def advice(self, concern: Concern) -> str:
        """What to do, with the target that it is filled in for."""
        return concern.advice + (f" ({self.filled('as for', name=concern.advised)})" if concern.advised else "")
