"""The section `notify`: what it may say, every mistake in it at once, and no secret of it in a message."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.config.environment import KINDS
from opsverify.config.loading import Loaded, load_environment, load_items
from opsverify.config.notification import Maintenance, QuietHours, recurring
from opsverify.errors import ConfigurationError

ITEMS = load_items(Path(__file__).parents[2] / "checks" / "runbook.yaml")
EXCUSES = "not_applicable:\n" + "".join(f"  {kind}: not part of this test\n" for kind in KINDS if kind != "hosts")
TOKYO = "Asia/Tokyo"


def load(tmp_path: Path, text: str, **variables: str) -> Loaded:
    path = tmp_path / "production.yaml"
    path.write_text(f"hosts: {{app1: {{}}, app2: {{}}}}\n{EXCUSES}{text}")
    return load_environment(path, ITEMS, variables)


def mistakes(tmp_path: Path, text: str, **variables: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, text, **variables)
    return [line.removeprefix(f"{tmp_path}/production.yaml: ") for line in caught.value.mistakes]


WHOLE = """
notify:
  channels:
    team: {apprise: "mailtos://verify:${MAIL_LOGIN}@mail.example.com?to=team@example.com"}
    pager: {webhook: "https://pager.example.com/${PAGER}", headers: {X-Key: "${PAGER_HEADER}"}}
    duty: {script: /srv/mycats/scripts/send-alert.sh}
  routes:
    - {channels: [pager], severities: [P1]}
    - {channels: [team], chapters: [BAK, RST], targets: ["app*"]}
    - {channels: [], checks: [disk-usage]}
  after: {api-response-time: 3}
  remind_hours: {P1: 0.5, P4: 0}
  quiet_hours: [{start: 22:00, end: 07:00}]
  maintenance:
    - {start: 2026-12-05 22:00, end: 2026-12-06 02:00, owner: platform team, reason: a new version of PostgreSQL}
    - {start: 02:00, end: 04:00, days: [sun], checks: [disk-usage], owner: platform team, reason: weekly clean-up}
  report_url: https://ci.example.com/reports/
  heartbeat: ${HEARTBEAT}
"""
VARIABLES = {
    "MAIL_LOGIN": "p%40ss-w0rd",
    "PAGER": "hook-of-ours",
    "PAGER_HEADER": "header-value",
    "HEARTBEAT": "https://hc-ping.example.com/1234-abcd",
}


def test_a_whole_section_is_read_and_every_secret_of_it_known(tmp_path: Path) -> None:
    loaded = load(tmp_path, WHOLE, **VARIABLES)
    notify = loaded.environment.notify
    assert notify is not None
    assert list(notify.channels) == ["team", "pager", "duty"]
    assert loaded.secrets >= {*VARIABLES.values(), "p@ss-w0rd", "https://pager.example.com/hook-of-ours"}
    assert not any(value in repr(notify) for value in VARIABLES.values())


def test_without_the_section_there_is_none(tmp_path: Path) -> None:
    assert load(tmp_path, "").environment.notify is None


@pytest.mark.parametrize(
    ("section", "found"),
    [
        ("notify: {}", "at least one of channels and heartbeat"),
        ("notify: {channels: {a: {}}}", "exactly one of apprise, webhook and script"),
        ("notify: {channels: {a: {script: /a, headers: {X: '${K}'}}}}", "headers and ca_file for a webhook only"),
        ("notify: {channels: {a: {apprise: 'slack://${K}/#ops'}}, chanels: {}}", "did you mean channels"),
        ("notify: {channels: {a: {apprise: slack}}}", "a URL of Apprise, such as"),
        ("notify: {channels: {a: {apprise: 'mailto://u:p@ss@h'}}}", "percent-encoded (@ is %40"),
        ("notify: {channels: {a: {apprise: 'slack://T1/B1/xyz'}}}", "found a literal secret"),
        ("notify: {channels: {a: {webhook: 'https://h.example.com/x?key=1'}}}", "found a literal secret"),
        ("notify: {channels: {a: {webhook: 'ftp://h.example.com/x'}}}", "an address such as https://"),
        ("notify: {heartbeat: 'https://hc-ping.com/1'}", "found a literal secret"),
        ("notify: {channels: {a: {script: /a}}, routes: [{channels: [b]}]}", "routes.0.channels: found 'b', allowed a"),
        ("notify: {channels: {a: {script: /a}}, routes: [{channels: [a], targets: [app9]}]}", "did you mean app"),
        ("notify: {channels: {a: {script: /a}}, routes: [{channels: [a], chapters: [XYZ]}]}", "one of DEP"),
        ("notify: {channels: {a: {script: /a}}, after: {disk-usag: 2}}", "did you mean disk-usage"),
        ("notify: {channels: {a: {script: /a}}, quiet_hours: [{start: 9, end: '25:00'}]}", "a time of day from 00:00"),
        ("notify: {channels: {a: {script: /a}}, quiet_hours: [{start: '09:00', end: '09:00'}]}", "not the start"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_what_is_allowed_and_without_secrets(tmp_path: Path, section: str, found: str) -> None:
    lines = mistakes(tmp_path, section, K="s3cret-key-1234")
    assert any(found in line for line in lines), lines
    assert not any(secret in line for line in lines for secret in ("s3cret-key", "p@ss", "T1/B1"))


@pytest.mark.parametrize(
    ("start", "end", "more", "found"),
    [
        ("2026-12-05 22:00", "2026-12-05 21:00", "", "an end after the start"),
        ("2026-12-05", "2026-12-06", "", "start and end as times of day"),
        ("22:00", "2026-12-05 21:00", "", "start and end as times of day"),
        ("2026-12-05 22:00", "2026-12-06T02:00Z", "", "both with a time zone"),
        ("2026-12-05 22:00", "2026-12-06 02:00", "days: [sun], ", "no days beside dates"),
    ],
)
def test_a_window_that_is_none(tmp_path: Path, start: str, end: str, more: str, found: str) -> None:
    window = f"{{start: {start}, end: {end}, {more}owner: us, reason: a clean-up}}"
    lines = mistakes(tmp_path, f"notify: {{channels: {{a: {{script: /a}}}}, maintenance: [{window}]}}")
    assert any(found in line for line in lines), lines


def test_all_mistakes_are_listed_at_once(tmp_path: Path) -> None:
    lines = mistakes(
        tmp_path,
        "notify: {channels: {a: {script: a}, b: {apprise: 'slack://x'}}, routes: [{channels: [c]}], after: {x: 0}}",
    )
    for place in ("channels.a.script", "channels.b.apprise", "routes.0.channels", "after.x"):
        assert any(line.startswith(f"notify.{place}") for line in lines), place


def maintenance(start: str, end: str, **more: Any) -> Maintenance:
    return Maintenance(start=start, end=end, owner="us", reason="a clean-up", **more)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "covered"),
    [
        ("2026-12-05T21:59:59+09:00", False),
        ("2026-12-05T22:00:00+09:00", True),
        ("2026-12-05T13:00:00+00:00", True),
        ("2026-12-06T01:59:00+09:00", True),
        ("2026-12-06T02:00:00+09:00", False),
    ],
)
def test_dates_are_those_of_the_environments_time_zone(now: str, covered: bool) -> None:
    assert maintenance("2026-12-05 22:00", "2026-12-06 02:00").cover(at(now), TOKYO) is covered
    assert maintenance("2026-12-05 13:00Z", "2026-12-05 17:00Z").cover(at(now), "Europe/Berlin") is covered


@pytest.mark.parametrize(
    ("now", "covered"),
    [
        ("2026-12-06T23:00:00+09:00", True),  # a Sunday
        ("2026-12-07T05:59:00+09:00", True),
        ("2026-12-07T06:00:00+09:00", False),
        ("2026-12-06T05:00:00+09:00", False),
        ("2026-12-07T23:00:00+09:00", False),
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_on_which_it_starts(now: str, covered: bool) -> None:
    assert maintenance("22:00", "06:00", days=("sun",)).cover(at(now), TOKYO) is covered
    assert QuietHours(start="22:00", end="06:00", days=("sun",)).cover(at(now), TOKYO) is covered


CLOCK = st.builds(lambda minutes: f"{minutes // 60:02}:{minutes % 60:02}", st.integers(0, 24 * 60 - 1))


@given(CLOCK, CLOCK, st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))
def test_any_moment_is_in_a_daily_window_or_in_the_rest_of_the_day(start: str, end: str, now: datetime) -> None:
    if start != end:
        assert recurring(start, end, (), now, TOKYO) is not recurring(end, start, (), now, TOKYO)
    assert recurring("00:00", "24:00", (), now, TOKYO)


def test_what_a_selection_matches() -> None:
    window = maintenance("00:00", "24:00", checks=("disk-usage",), targets=("app*",))
    assert window.matches("disk-usage", ("backend", "app1"))
    assert not window.matches("disk-usage", ("db1",))
    assert not window.matches("cpu-usage", ("app1",))
    assert maintenance("00:00", "24:00").matches("cpu-usage", ())


def test_the_environment_of_programs_has_none_of_the_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from opsverify.config.child_environment import child_environment

    monkeypatch.setenv("PAGER_URL_PART", "hook-of-yours-1234")
    text = "notify: {channels: {a: {webhook: 'https://pager.example.com/${PAGER_URL_PART}'}}}"
    load(tmp_path, text)
    assert "PAGER_URL_PART" in os.environ
    assert "PAGER_URL_PART" not in child_environment()


def test_a_group_stands_for_its_hosts_and_what_lies_on_them(tmp_path: Path) -> None:
    path = tmp_path / "production.yaml"
    window = "{start: 00:00, end: 24:00, targets: [web], owner: us, reason: a clean-up}"
    routes = "[{channels: [a], targets: [backend]}]"
    path.write_text(
        "hosts: {web: {connection: 'ssh://web[1:3].example.com'}, db1: {}}\n"
        "services: {backend: {host: web, unit: mycats-backend}}\n"
        f"{EXCUSES.replace('  services: not part of this test', '')}"
        f"notify: {{channels: {{a: {{script: /a}}}}, routes: {routes}, maintenance: [{window}]}}\n"
    )
    notify = load_environment(path, ITEMS).environment.notify
    assert notify is not None
    assert notify.maintenance[0].matches("disk-usage", ("web2",))
    assert notify.maintenance[0].matches("service-active", ("backend@web2", "web2"))
    assert not notify.maintenance[0].matches("disk-usage", ("db1",))
    assert notify.routes[0].matches("service-active", ("backend@web3", "web3"))


def test_brackets_are_no_pattern() -> None:
    assert maintenance("00:00", "24:00", targets=("web[1:3]*",)).matches("x", ("web[1:3]",))
    assert not maintenance("00:00", "24:00", targets=("web[1:3]*",)).matches("x", ("web1",))


def test_the_example_of_the_documentation_is_one(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text()
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    names = re.findall(r"\$\{([A-Z_]+)\}", example)
    values = dict.fromkeys(names, "x1") | {"MYCATS_PAGER_URL": "https://pager.example.com/x"}
    loaded = load(tmp_path, example, **values)
    assert loaded.environment.notify is not None
