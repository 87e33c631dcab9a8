"""Runs of a week, told to real channels, with a history that another machine could share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from opsverify.history.store import Store
from opsverify.notify.routes import channels_of, names_of
from opsverify.notify.telling import Told, tell, try_channels
from opsverify.reporting.collected import UNFINISHED

from .conftest import MONDAY, Receiver, finding, telling

DAY = timedelta(days=1)


def titles(receiver: Receiver) -> list[str]:
    return [body["title"].removeprefix("P1 ").removeprefix("P2 ").removeprefix("My Cats: ") for body in receiver.bodies]


class Week:
    """Runs of one environment, each by a process that knows nothing but the history."""

    def __init__(self, folder: Path, receiver: Receiver, **notify: Any) -> None:
        self.folder, self.receiver = folder, receiver
        self.notify = {"channels": {"team": {"webhook": receiver.address}}, **notify}

    def run(self, now: datetime, *results: Any, partial: bool = False, history: str | None = None) -> Told:
        return tell(telling(self.folder, history, **self.notify), results, now, partial=partial)


def test_a_week_of_nights(tmp_path: Path, receive: Callable[..., Receiver]) -> None:
    """One message when it begins, a reminder a day, one when it ends; nothing on nights in which nothing changed."""
    there = receive()
    week = Week(tmp_path, there, remind_hours={"P2": 48})
    nights = ["normal", "warning", "alert", "alert", "alert", "normal", "normal"]
    for day, verdict in enumerate(nights):
        week.run(MONDAY + day * DAY, finding(verdict), finding("normal", "app2"))
    assert titles(there) == ["1 new", "1 still failing", "1 recovered"]
    assert "(failed since 2026-12-02 12:00 JST)" in there.bodies[-1]["text"]
    assert Store(telling(tmp_path, **week.notify).location).notices("production") == []


def test_nothing_to_tell_is_no_message_and_makes_no_history(tmp_path: Path, receive: Callable[..., Receiver]) -> None:
    there = receive()
    assert Week(tmp_path, there).run(MONDAY, finding("normal"), finding("waived", "app2")) == Told()
    assert there.asked == []
    assert not (tmp_path / "reports").exists()


def test_one_message_has_all_that_changed_in_a_run(tmp_path: Path, receive: Callable[..., Receiver]) -> None:
    there = receive()
    week = Week(tmp_path, there)
    week.run(MONDAY, finding("alert", "app1"), finding("alert", "app2"))
    told = week.run(MONDAY + DAY / 24, finding("normal", "app1"), finding("alert", "app2", severity="P1"),
                    finding("undetermined", "db1", sentence="no answer"))  # fmt: skip
    assert told.sent == {"team": "1 new, 1 worse, 1 recovered"}
    assert len(there.asked) == 2


def test_quiet_hours_hold_a_message_for_the_first_run_after_whatever_that_looks_at(
    tmp_path: Path, receive: Callable[..., Receiver]
) -> None:
    there = receive()
    week = Week(tmp_path, there, quiet_hours=[{"start": "22:00", "end": "07:00"}])
    night = MONDAY.replace(hour=17)  # 02:00 in Tokyo
    week.run(night, finding("alert", "app1"), finding("alert", "app2"), finding("alert", "db1", severity="P1"))
    assert titles(there) == ["1 new"]
    week.run(night + timedelta(hours=2), finding("normal", "app2"))
    assert len(there.asked) == 1
    week.run(night + timedelta(hours=6), finding("normal", "app9"))
    assert titles(there)[1:] == ["1 new, 1 failed and recovered meanwhile"]
    assert "app1" in there.bodies[-1]["text"] and "(since 2026-12-01 02:00 JST)" in there.bodies[-1]["text"]


def test_a_maintenance_window_notifies_nobody_and_ends(tmp_path: Path, receive: Callable[..., Receiver]) -> None:
    there = receive()
    window = {"start": "2026-11-30 11:00", "end": "2026-11-30 13:00", "targets": ["app1"], "owner": "us"}
    week = Week(tmp_path, there, maintenance=[{**window, "reason": "a new disk"}])
    on_app1 = finding("alert", "backend", "service-active", target_kind="services", severity="P1")
    told = week.run(MONDAY, finding("alert", "app1"), on_app1, finding("alert", "db1"), finding("normal", "app1", "x"))
    assert [result.target for result, _ in told.expected] == ["app1", "backend"]
    assert titles(there) == ["1 new"]
    assert week.run(MONDAY + timedelta(hours=2), finding("alert", "app1"), on_app1).sent == {"team": "2 new"}


def test_a_message_that_nobody_took_is_a_failure_and_comes_with_the_next_run(
    tmp_path: Path, receive: Callable[..., Receiver]
) -> None:
    there = receive(404)
    week = Week(tmp_path, there)
    assert week.run(MONDAY, finding()).failed == {"team": "1 new not delivered: it answered 404"}
    there.answers = [200]
    assert week.run(MONDAY + DAY, finding("normal", "app2")).sent == {"team": "1 new"}
    there.answers = [500]
    week.run(MONDAY + 2 * DAY, finding("normal"))
    there.answers = [200]
    assert week.run(MONDAY + 3 * DAY, finding("normal")).sent == {"team": "1 recovered"}
    assert week.run(MONDAY + 4 * DAY, finding("normal")).sent == {}


def test_one_channel_that_is_down_costs_the_others_nothing(tmp_path: Path, receive: Callable[..., Receiver]) -> None:
    well, down = receive(), receive(404)
    week = Week(tmp_path, well, channels={"team": {"webhook": well.address}, "pager": {"webhook": down.address}})
    told = week.run(MONDAY, finding())
    assert (told.sent, list(told.failed)) == ({"team": "1 new"}, ["pager"])
    down.answers = [200]
    assert week.run(MONDAY + timedelta(minutes=5), finding()).sent == {"pager": "1 new"}


def test_a_run_that_was_cut_short_tells_what_it_found_and_nothing_of_what_is_well(
    tmp_path: Path, receive: Callable[..., Receiver]
) -> None:
    there = receive()
    week = Week(tmp_path, there)
    week.run(MONDAY, finding("alert", "app1"))
    unfinished = finding("undetermined", "app2", sentence=UNFINISHED)
    assert week.run(MONDAY + DAY / 24, finding("normal", "app1"), unfinished, partial=True).sent == {}
    assert week.run(MONDAY + DAY / 24, finding("alert", "db1"), unfinished, partial=True).sent == {"team": "1 new"}
    assert "PARTIAL" in there.bodies[-1]["text"]
    assert week.run(MONDAY + DAY / 12, finding("normal", "app1")).sent == {"team": "1 recovered"}


@pytest.mark.parametrize("history", ["none", "sqlite:////proc/nowhere/history.db"])
def test_without_a_history_every_run_tells_all_that_fails_also_at_night(
    tmp_path: Path, receive: Callable[..., Receiver], history: str
) -> None:
    there = receive()
    always = [{"start": "00:00", "end": "24:00"}]
    week = Week(tmp_path, there, quiet_hours=always, after={"disk-usage": 5})
    for _ in range(2):
        told = week.run(MONDAY, finding(), finding("normal", "app2"), history=history)
        assert told.sent == {"team": "1 new"}
    assert "Without a history" in there.bodies[-1]["text"]


def test_a_history_that_takes_nothing_is_said(tmp_path: Path, receive: Callable[..., Receiver]) -> None:
    (tmp_path / "file").write_text("no folder")
    told = Week(tmp_path, receive()).run(MONDAY, finding(), history="sqlite:///file/history.db")
    assert told.sent == {"team": "1 new"}
    assert len(told.remarks) == 1


def test_who_was_told_of_it_is_told_of_its_end_wherever_it_leads_today(
    tmp_path: Path, receive: Callable[..., Receiver]
) -> None:
    pager, team = receive(), receive()
    channels = {"pager": {"webhook": pager.address}, "team": {"webhook": team.address}}
    routes = [{"channels": ["pager"], "severities": ["P1"]}, {"channels": ["team"], "severities": ["P2"]}]
    week = Week(tmp_path, team, channels=channels, routes=routes)
    week.run(MONDAY, finding(severity="P1"))
    assert (len(pager.asked), len(team.asked)) == (1, 0)
    week.run(MONDAY + DAY / 48, finding(severity="P2"))
    week.run(MONDAY + DAY / 24, finding("normal", severity="P2"))
    assert titles(pager) == ["1 new", "1 recovered"]
    assert titles(team) == ["1 new", "1 recovered"]


ROUTES = [
    {"channels": ["pager"], "severities": ["P1"]},
    {"channels": ["backup"], "chapters": ["BAK"]},
    {"channels": ["team"], "targets": ["app*"], "checks": ["disk-usage", "service-active"]},
    {"channels": [], "checks": ["cpu-usage"]},
]


@pytest.mark.parametrize(
    ("result", "channels"),
    [
        (finding(severity="P1"), ("team", "pager")),
        (finding("alert", "db1", source="MON BAK"), ("backup",)),
        (finding("alert", "backend", "service-active", target_kind="services"), ("team",)),
        (finding("alert", "db1"), ("team", "pager", "backup")),
        (finding("alert", "db1", "cpu-usage"), ()),
        (replace(finding("broken"), runbook="", severity="P4"), ("team", "pager", "backup")),
    ],
    ids=["severity", "chapter", "host", "no route", "nowhere on purpose", "no check"],
)
def test_where_a_finding_goes(tmp_path: Path, result: Any, channels: tuple[str, ...]) -> None:
    script = {"script": "/bin/true"}
    one = telling(tmp_path, channels={"team": script, "pager": script, "backup": script}, routes=ROUTES)
    assert channels_of(one.notify, result, names_of(one.environment, result)) == channels


def test_the_test_goes_to_every_channel(tmp_path: Path, receive: Callable[..., Receiver]) -> None:
    there = receive()
    channels = {"team": {"webhook": there.address}, "duty": {"script": "/nowhere"}}
    tried = try_channels(telling(tmp_path, channels=channels), MONDAY)
    assert tried["team"] == ""
    assert "could not be started" in tried["duty"]
    assert there.bodies[0]["kind"] == "test"
