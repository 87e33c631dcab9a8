"""How a file differs from what there is, and the smallest change of its text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opsverify.config.environment import Environment, Host
from opsverify.config.loading import _named
from opsverify.config.yaml_file import read_yaml
from opsverify.discover.difference import Change, differences
from opsverify.discover.draft import Draft, Entry
from opsverify.discover.editing import edited
from opsverify.discover.seen import HostSeen, Seen
from opsverify.probes.host.question import Answer
from opsverify.probes.host.surroundings.units import Units
from opsverify.reporting.text import Redactor

FILE = """\
# Ours.
hosts:
  web: {connection: "ssh://verify@app1.mycats.internal?sudo=true"}   # by sudo
services:
  api:
    host: web
    role: backend
    unit: mycats-api
    port: 3004   # as ever
  page: {host: web, role: frontend, unit: mycats-page}

jobs:
  backup:
    host: web
    role: backup
    cron: backup.sh
# Why there are none:
not_applicable:
  alerts: none was found on app1 (2026-03-02, the checkouts)
  documents: nobody reads them

checks: {disk-usage: {band: {below: 85}}}
"""


def environment(text: str, tmp_path: Path) -> Environment:
    path = tmp_path / "file.yaml"
    path.write_text(text)
    return Environment.model_validate(_named(read_yaml(path), "file"))


def a_host() -> HostSeen:
    units = Units().parse(
        Answer(b"== units\nId=mycats-api.service\nLoadState=loaded\n\nId=mycats-page.service\nLoadState=loaded\n")
    )
    host = Host.model_validate({"name": "app1", "environment": "x", "connection": "ssh://root@app1.mycats.internal"})
    return HostSeen(host, {Units(): units})


def told(text: str, entries: list[Entry], tmp_path: Path) -> list[Change]:
    draft = Draft("title", [], [Entry("hosts", "app1", {"connection": "ssh://root@app1.mycats.internal"}), *entries])
    draft.excuses["alerts"] = "none was found on app1 (2026-03-03, the checkouts)"
    return differences(environment(text, tmp_path), draft, Seen([a_host()], [], []))


def api(**body: Any) -> Entry:
    return Entry(
        "services", "backend", {"host": "app1", "role": "backend", "unit": "mycats-api", "port": 3004, **body}, "a unit"
    )


def page(**body: Any) -> Entry:
    return Entry("services", "frontend", {"host": "app1", "role": "frontend", "unit": "mycats-page", **body}, "a unit")


def backup() -> Entry:
    return Entry("jobs", "backup", {"host": "app1", "role": "backup", "cron": "backup.sh"}, "a line")


def made(text: str, changes: list[Change], tmp_path: Path) -> str:
    done = edited(text, changes, tmp_path / "file.yaml", Redactor())
    assert done.refused == ()
    return done.text


def test_names_and_accounts_are_the_operators_business(tmp_path: Path) -> None:
    assert told(FILE, [api(), page(), backup()], tmp_path) == []


def test_a_value_changes_in_its_place(tmp_path: Path) -> None:
    changes = told(FILE, [api(port=3005), page(port=3000), backup()], tmp_path)
    assert [(change.what, change.name, change.key) for change in changes] == [
        ("changed", "api", "port"),
        ("changed", "page", "port"),
    ]
    text = made(FILE, changes, tmp_path)
    assert text == FILE.replace("3004", "3005").replace("page: {host: web", "page: {host: web, port: 3000")
    assert told(text, [api(port=3005), page(port=3000), backup()], tmp_path) == []


@pytest.mark.parametrize("kind", ["utf-8", "crlf", "bom"])
def test_every_other_character_stays(kind: str, tmp_path: Path) -> None:
    text = FILE.replace("# Ours.", "# 本番環境 🐈 のもの").replace("as ever", "いつもの")
    text = text.replace("\n", "\r\n") if kind == "crlf" else "\ufeff" + text if kind == "bom" else text
    health = Entry("jobs", "health", {"host": "web", "role": "health-check", "timer": "h.timer"}, "a timer")
    changes = [Change("changed", "services", "api", "port", 3004, 3005), Change("new", "jobs", "health", entry=health)]
    changed = made(text, changes, tmp_path)
    assert (
        changed.replace("3005", "3004").replace(
            changed[changed.index("  # found: a timer") : changed.index("# Why")], ""
        )
        == text
    )
    assert ("\n" in changed.replace("\r\n", "")) is (kind != "crlf")
    assert read_yaml_of(changed, tmp_path)["jobs"]["health"]["timer"] == "h.timer"


def read_yaml_of(text: str, tmp_path: Path) -> Any:
    path = tmp_path / "read.yaml"
    path.write_text(text, encoding="utf-8", newline="")
    return read_yaml(path)


def test_a_unit_that_was_renamed_is_the_same_service(tmp_path: Path) -> None:
    (change,) = told(FILE, [api(unit="mycats-backend"), page(), backup()], tmp_path)
    assert (change.key, change.old, change.new) == ("unit", "mycats-api", "mycats-backend")


def test_a_script_that_moved_is_the_same_alert(tmp_path: Path) -> None:
    text = (
        FILE.replace("  alerts: none was found on app1 (2026-03-02, the checkouts)\n", "")
        + "alerts: {duty: {host: web, script: /a.sh}}\n"
    )
    (change,) = told(
        text, [api(), page(), backup(), Entry("alerts", "alerts", {"host": "app1", "script": "/b.sh"})], tmp_path
    )
    assert (change.name, change.key, change.new) == ("duty", "script", "/b.sh")
    assert made(text, [change], tmp_path) == text.replace("/a.sh", "/b.sh")


def test_a_guess_contradicts_nobody(tmp_path: Path) -> None:
    doubtful = api(port=3005)
    doubtful.guesses["port"] = "likely"
    unread = Entry("alerts", "alerts", {"host": "app1", "script": "/x"}, unread="a folder")
    assert told(FILE, [doubtful, page(), backup(), unread], tmp_path) == []


def test_what_is_new_goes_behind_the_last_of_its_kind_and_the_command_takes_its_own_excuse_back(tmp_path: Path) -> None:
    health = Entry("jobs", "backup", {"host": "app1", "role": "health-check", "timer": "h.timer"}, "a timer")
    alert = Entry("alerts", "alerts", {"host": "app1", "script": "/srv/a.sh"}, "a script")
    draft = [api(), page(), backup(), health, alert]
    text = FILE
    changes = told(text, draft, tmp_path)
    assert [change.what for change in changes] == ["new", "new"]  # the excuse of alerts is in the draft, too
    gone = [*changes, Change("excused", "not_applicable", "alerts", "alerts", old="none was found")]
    text = made(text, gone, tmp_path)
    assert (
        "    cron: backup.sh\n  # found: a timer\n  backup-2:\n    host: web\n    role: health-check\n    timer: h.timer\n# Why"
        in text
    )
    assert "  alerts: none" not in text and "  documents: nobody reads them\n" in text
    assert text.endswith("\nalerts:\n  # found: a script\n  alerts:\n    host: web\n    script: /srv/a.sh\n")
    assert told(text, draft, tmp_path) == []


def test_what_a_person_excused_is_told_and_left(tmp_path: Path) -> None:
    document = Entry("documents", "runbook", {"holds": "runbook", "host": "app1", "location": "/srv/x.md"}, "a file")
    (change,) = told(FILE, [api(), page(), backup(), document], tmp_path)
    assert (change.what, change.why) == ("note", "found, and excused in the file: nobody reads them")


def test_a_unit_that_is_gone_is_told_and_never_taken_out(tmp_path: Path) -> None:
    text = FILE.replace("  page:", "  old: {host: web, unit: mycats-old}\n  page:")
    (change,) = told(text, [api(), page(), backup()], tmp_path)
    assert change.sentence == "- services.old: in the file, but not found: app1 has no unit mycats-old.service"
    assert made(text, [change], tmp_path) == text


def test_the_last_excuse_takes_its_section_along(tmp_path: Path) -> None:
    text = "a: 1\nnot_applicable:\n  alerts: none was found\nb: 2\n"
    assert made(text, [Change("excused", "not_applicable", "alerts", "alerts")], tmp_path) == "a: 1\nb: 2\n"


@pytest.mark.parametrize(
    "text",
    [
        "services:\n  api: {port: &p 3004}\n",
        'services:\n  api: {port: "${PORT}"}\n',
        "base: &b {port: 1}\nservices:\n  api: *b\n",
        "services:\n  api:\n    port: >-\n      3004\n      5\n",
        "services: {}\n",
        "hosts: {}\n",
    ],
)
def test_what_would_touch_more_than_itself_is_left_to_a_person(text: str, tmp_path: Path) -> None:
    done = edited(text, [Change("changed", "services", "api", "port", 3004, 3005)], tmp_path / "x.yaml", Redactor())
    assert done.text == text
    assert len(done.refused) == 1 and "by hand" in done.refused[0]


@pytest.mark.parametrize("last", [True, False])
def test_an_excuse_of_several_lines_takes_no_other_with_it(tmp_path: Path, last: bool) -> None:
    others = "" if last else "  certificates: terminated elsewhere by the provider\n  proxies: none\n"
    text = f"not_applicable:\n  alerts: nobody is on duty\n  frontends: >\n    there is no front end,\n    as nobody made one\n{others}hosts: {{}}\n"
    change = Change("excused", "not_applicable", "frontends", "frontends", old="there is none")
    assert edited(text, [change], tmp_path / "file.yaml", Redactor()).text == (
        f"not_applicable:\n  alerts: nobody is on duty\n{others}hosts: {{}}\n"
    )
