"""runbook-reviewed and runbook-agrees on the operators' own document, as it is and with single figures changed."""

from __future__ import annotations

import html
import re
import threading
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.config.items import Item
from opsverify.config.loading import load_items
from opsverify.runbook_document.drift import compare
from opsverify.runbook_document.quantities import Quantity, quantity
from opsverify.runbook_document.reading import read
from opsverify.runbook_document.review import last_updated
from opsverify.runbook_document.statements import statements

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "tests/checks/data/operations-runbook.ja.md").read_text(encoding="utf-8")
ITEMS = load_items(ROOT / "checks/runbook.yaml")
SETTINGS = ITEMS["runbook-agrees"].settings


def own(project, text: str) -> None:
    """Write an environment with documents only, none of which is a log of operations."""
    path = project.environment("own", text)
    path.write_text(f"{path.read_text(encoding='utf-8')}  operations-log: not part of this test\n", encoding="utf-8")


@pytest.fixture
def judge(project, tmp_path):
    """Judge a document that lies on this machine."""

    def judge(text: str | None, more: str = ""):
        path = tmp_path / "operations.md"
        if text is not None:
            path.write_text(text, encoding="utf-8")
        own(project, f"documents: {{runbook: {{holds: runbook, location: {path}}}}}\n{more}")
        ran = project.run("--env", "own", "-k", "test_runbook", "--history=none")
        message = {name.partition("[")[0]: ran.properties(name) for name in ran.cases}
        return message["test_runbook_reviewed"], message["test_runbook_agrees"]

    return judge


def test_the_document_as_it_is(judge):
    reviewed, agrees = judge(DOCUMENT)
    assert reviewed["verdict"] == "alert"
    assert "last updated 2025-08-15, " in reviewed["sentence"]
    assert "expected at most 31 days ago" in reviewed["sentence"]
    assert agrees["verdict"] == "normal", agrees["sentence"]
    assert agrees["observed"] == "17 figures, as enforced"


def test_a_document_that_was_reviewed(judge):
    today = date.today() - timedelta(days=30)
    reviewed, _ = judge(DOCUMENT.replace("2025年8月15日", f"{today.year}年{today.month}月{today.day}日"))
    assert reviewed["verdict"] == "normal"
    assert "30 days ago" in reviewed["observed"] or "31 days ago" in reviewed["observed"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("**最終更新日**: 近日中  ", "observed no date of the last update"),
        (f"**最終更新日**: {date.today() + timedelta(days=9)}", "expected a day that is not to come"),
    ],
)
def test_a_date_that_proves_nothing(judge, line, sentence):
    reviewed, _ = judge(DOCUMENT.replace("**最終更新日**: 2025年8月15日", line))
    assert reviewed["verdict"] == "alert"
    assert sentence in reviewed["sentence"]


def test_a_document_that_is_not_there(judge):
    for message in judge(None):
        assert message["verdict"] == "alert"
        assert "operations.md, expected the runbook" in message["sentence"]


def test_a_figure_that_this_environment_enforces_differently(judge):
    _, agrees = judge(DOCUMENT, "checks: {memory-usage: {band: {below: 60}}}\n")
    assert agrees["verdict"] == "alert"
    assert agrees["sentence"] == (
        "observed chapter システム監視項目: メモリ使用量 < 80%, アラート条件 > 90%, "
        "expected < 60 % (alert > 90 %) (memory-usage)"
    )


@pytest.mark.parametrize(
    ("old", "new", "text", "enforced"),
    [
        ("< 500ms  | > 3秒", "< 500ms | > 5秒", "API応答時間 < 500ms, アラート条件 > 5秒", "< 500 ms (alert > 3,000 ms)"),
        ("< 70%", "＜ ７５％", "CPU使用率 < 75%", "< 70 % (alert > 85 %)"),
        ("| ディスク使用量   |", "| 空きディスク |", "空きディスク < 80%", "nothing: no check"),
        ("| ディスク使用量   |", "| 空きディスク |", "ディスク使用量 nothing", "< 80 % (alert > 90 %) (disk-usage)"),
        ("20.x または 22.x", "18.x、20.x または 22.x", "node --version 18.x", "20, 22 (node-version: majors)"),
        ("20.x または 22.x", "20.x 以上", "node --version 20.x 以上", "20, 22 (node-version: majors)"),
        ("15.x 以上", "１６．ｘ 以上", "psql --version 16.x 以上", "15 (postgres-server-version: minimum_major)"),
        ('find ./logs -name "*.log" -mtime +30', 'find ./logs -name "*.log" -mtime +14', "./logs -mtime +14",
         "30 (old-logs-removed: max_age_days)"),
        ("（30日以上前）", "（９０日以上前）", "$BACKUP_DIR 90日以上前", "30 (backup-retention: max_age_days)"),
        ("find ./temp -type f -mtime +7 -delete", "rm -rf temp", "./temp nothing", "7 (temp-files-removed"),
        ("4時間以内", "8時間以内", "P2 8時間以内", "4 hours to respond"),
        ("1営業日以内", "1日以内", "P3 1日以内", "1 business day to respond"),
        ("| P4     | 低   | 1週間以内", "| 低     | 低   | 1週間以内", "P4 nothing", "7 days to respond"),
    ],
)  # fmt: skip
def test_every_figure_that_differs_is_found(old, new, text, enforced):
    assert old in DOCUMENT
    different = [
        one for one in compare(statements(read(DOCUMENT.replace(old, new))), ITEMS, SETTINGS) if not one.agrees
    ]
    assert any(text in one.document and enforced in one.enforced for one in different), different
    assert len(different) <= 3


def test_a_check_that_no_longer_exists():
    less: dict[str, Item] = {key: item for key, item in ITEMS.items() if key != "cpu-usage"}
    different = [one for one in compare(statements(read(DOCUMENT)), less, SETTINGS) if not one.agrees]
    assert [one.enforced for one in different] == ["nothing: there is no cpu-usage"]


def test_an_empty_document_lacks_everything():
    result = compare(statements(read("")), ITEMS, SETTINGS)
    assert len(result) == 15
    assert not any(one.agrees for one in result)


# --- parts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("< 500ms", Quantity(500, "ms", "<")),
        ("＞ ３秒", Quantity(3, "秒", ">")),
        ("1,000 ミリ秒未満", Quantity(1000, "ミリ秒", "<")),
        ("80％以下", Quantity(80, "%", "<")),
        ("３０日以上", Quantity(30, "日", ">")),
        ("at most 2.5 hours", Quantity(2.5, "hour", "<")),
        ("3 servers", Quantity(3, "", "")),
        ("接続成功", None),
        ("", None),
    ],
)
def test_quantities(text, expected):
    assert quantity(text) == expected


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [("3秒", "ms", 3000), ("1週間", "day", 7), ("1営業日", "day", None), ("80", "%", 80), ("80%", "ms", None), ("2 hours", "hour", 2)],
)  # fmt: skip
def test_units(text, unit, value):
    result = quantity(text)
    assert result is not None
    assert result.within(unit) == value


@pytest.mark.parametrize(
    "text",
    [
        "**最終更新日**: 2025年8月15日", "最終更新日：２０２５年８月１５日", "最終更新 2025/08/15", "最終更新日: 令和7年8月15日",
        "Last updated: 2025-08-15", "_Last reviewed_: August 15, 2025", "last updated on 15th Aug 2025",
        "| 項目 | 値 |\n| --- | --- |\n| 最終更新日 | 2025-8-15 |", "最終更新日: 2025-08-15\n\nLast updated: 2024-01-01",
    ],
)  # fmt: skip
def test_dates(text):
    assert last_updated(read(text)) == date(2025, 8, 15)


@pytest.mark.parametrize(
    "text", ["", "2025-08-15", "Last updated: soon", "最終更新日: 2025年13月45日", "Last updated: 03/04/2026"]
)
def test_no_dates(text):
    assert last_updated(read(text)) is None


@given(
    st.one_of(st.text(), st.lists(st.sampled_from([*DOCUMENT.splitlines(keepends=True), "| ", "`", "\n"])).map("".join))
)
def test_any_document_can_be_read(text):
    document = read(text)
    assert len(compare(statements(document), ITEMS, SETTINGS)) >= 15
    result = last_updated(document)
    assert result is None or isinstance(result, date)


# --- where it is fetched ---------------------------------------------------------------------------------------------


class Wiki(BaseHTTPRequestHandler):
    """Serves the document, a page instead of it, nothing, and a refusal."""

    def do_GET(self) -> None:
        answers = {
            "/raw": (200, "text/plain; charset=utf-8"),
            "/page": (200, "text/html"),
            "/private": (403, "text/html"),
        }
        status, kind = answers.get(self.path, (404, "text/plain"))
        body = DOCUMENT.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_a_document_behind_an_address(project):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Wiki)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_address[1]}"
    places = {"raw": "", "page": "", "private": "", "gone": ""}
    listed = "".join(f"  {name}: {{holds: runbook, location: {base}/{name}}}\n" for name in places)
    own(project, f"documents:\n{listed}  dead: {{holds: runbook, location: 'http://127.0.0.1:1/x'}}\n")
    try:
        ran = project.run("--env", "own", "-k", "runbook_agrees", "--history=none")
    finally:
        server.shutdown()
        server.server_close()
    verdicts = {name[20:-1]: verdict for name, verdict in ran.verdicts().items()}
    assert verdicts == {
        "raw": "normal", "page": "undetermined", "private": "undetermined", "gone": "alert", "dead": "blocked",
    }, ran.output  # fmt: skip
    assert "web page" in ran.properties("test_runbook_agrees[page]")["sentence"]
    assert "403" in ran.properties("test_runbook_agrees[private]")["sentence"]


def test_the_rehearsed_document(whole, verify):
    path = whole.layout.runbook
    before = path.read_text(encoding="utf-8")
    path.write_text(before.replace("< 98%", "< 97%"), encoding="utf-8")
    try:
        seen = verify("-k", "test_runbook")
    finally:
        path.write_text(before, encoding="utf-8")
    assert seen["test_runbook_reviewed[runbook]"].verdict == "normal"
    assert "CPU使用率 < 97%" in seen["test_runbook_agrees[runbook]"].sentence


def test_the_commands_of_the_document_as_it_is(whole, verify):
    """Held against a system that is up: what each finding says is so here."""
    path = whole.layout.runbook
    before = path.read_text(encoding="utf-8")
    path.write_text(DOCUMENT, encoding="utf-8")
    try:
        ran = verify("-k", "runbook_commands")
    finally:
        path.write_text(before, encoding="utf-8")
    assert ran["test_runbook_commands[runbook]"].verdict == "alert"
    told = html.unescape(html.unescape((ran.reports / "report.html").read_text(encoding="utf-8")))
    for finding in (
        "line 79: pnpm -w run test:api",
        "line 133: ./send-alert.sh",
        f"better: {whole.layout.scripts}/send-alert.sh",
        'line 141: tail -f backend/backend.log | grep -E "(ERROR|FATAL)"',
        f'{whole.layout.app_log} holds JSON with levels as "level":"error", which the pattern does not match',
        'line 147: tail -f /var/log/nginx/access.log | grep -E "(40[0-9]|50[0-9])"',
        "it finds sizes and paths (a 200 of 4042 bytes), it misses others (429)",
        f"{whole.layout.frontend}/.next/BUILD_ID is there",
        "line 206: pnpm -w run dev",
        "line 246: ./stop-app.sh",
        "line 298: npm audit fix --force",
        "PostgreSQL has no mean_time any more since 13",
    ):
        assert finding in told, finding
    assert len(set(re.findall(r"line (\d+): ", told))) >= 20
