"""From what was seen to a file: nothing that could not be read is excused, and no text breaks out of where it stands."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from opsverify.config.environment import Host
from opsverify.config.substitution import fill
from opsverify.config.yaml_file import read_yaml
from opsverify.discover import __main__ as command
from opsverify.discover.absent import USUAL, fill_in
from opsverify.discover.arguments import wanted
from opsverify.discover.draft import Draft, Entry
from opsverify.discover.drafting import Surroundings, drafted
from opsverify.discover.seen import QUESTIONS, HostSeen, Seen
from opsverify.discover.understanding.backups import ARCHIVE, DATABASE, pattern
from opsverify.discover.writing import entry_lines, flow
from opsverify.errors import ConfigurationError, MissingPrivilege
from opsverify.probes.host.question import Answer
from opsverify.probes.host.surroundings.units import Units
from opsverify.reporting.text import Redactor

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
EMPTY = {"Units": b"== units\n", "Processes": b"== sockets\n== owners\n"}
"""What a host with nothing on it answers."""


def a_host(hidden: str = "", name: str = "app1") -> HostSeen:
    """A bare host, of which one question could not see something."""
    answers: dict[Any, Any] = {}
    for question in QUESTIONS:
        more = b"== denied /somewhere\n" if question.title == hidden else b""
        answers[question] = question.parse(Answer(EMPTY.get(question.title, b"") + more))
    return HostSeen(Host.model_validate({"name": name, "environment": "x", "connection": f"ssh://{name}"}), answers)


def the_draft(*hosts: HostSeen) -> Draft:
    draft = Draft("title", [])
    asked = wanted([*(host.host.connection for host in hosts), "-o", "x.yaml"])
    fill_in(Seen(list(hosts), [], []), draft, asked, "2026-03-02")
    return draft


def test_what_is_not_there_is_excused_where_all_could_be_read() -> None:
    draft = the_draft(a_host())
    assert {usual.kind for usual in USUAL} == draft.excuses.keys()
    assert draft.excuses["jobs"] == "none was found on app1 (2026-03-02: crontabs and timers)"


@pytest.mark.parametrize("question", [question.title for question in QUESTIONS if question.title != "Clusters"])
def test_what_could_not_be_read_stands_there_and_is_not_excused(question: str) -> None:
    draft = the_draft(a_host(hidden=question), a_host(name="app2"))
    about = [usual for usual in USUAL if question in {kind.__name__ for kind in usual.seen_by}]
    assert about
    for usual in about:
        (entry,) = [one for one in draft.of(usual.kind) if not usual.key or one.is_about(usual.key, usual.value)]
        assert (entry.unread, entry.body["host"]) == ("/somewhere on app1", "app1")
    assert {usual.kind for usual in about}.isdisjoint(draft.excuses)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.title)
def test_a_question_that_failed_excuses_nothing_either(question: Any) -> None:
    host = a_host()
    host.answers[question] = MissingPrivilege("not for this account")
    excused = the_draft(host).excuses
    assert {usual.kind for usual in USUAL if type(question) in usual.seen_by}.isdisjoint(excused)


def test_a_host_that_did_not_answer_excuses_nothing() -> None:
    assert (
        the_draft(
            a_host(), HostSeen(Host.model_validate({"name": "b", "connection": "ssh://b"}), {}, "refused")
        ).excuses
        == {}
    )


def test_what_no_file_can_name_costs_itself_and_is_not_excused() -> None:
    host = a_host()
    units = b"== units\n" + b"\n".join(
        b"Id="
        + name
        + b".service\nLoadState=loaded\nActiveState=active\nType=simple\nFragmentPath=/etc/systemd/system/x\n"
        for name in (b"cats\\x2dbackend", b"cats-worker")
    )
    host.answers[Units()] = Units().parse(Answer(units))
    asked = wanted(["ssh://app1", "-o", "x.yaml"])
    of = Surroundings(asked, Seen([host], [], []), {}, ROOT, NOW, Redactor())
    draft, _ = drafted(of)
    names = {entry.name: entry.unread for entry in draft.of("services")}
    assert names["cats-worker"] == "" and "no file can say so" in names["backend"]
    assert any("x2dbackend" in notice for notice in draft.notices)


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=30)


@given(
    TEXT
    | st.integers()
    | st.booleans()
    | st.lists(TEXT | st.sampled_from(["a, b", "no", "1e3", "~", "${X}", "a: b", "- x", "#"]), max_size=3)
)
def test_a_value_is_read_as_it_was(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "value.yaml"
    path.write_text(
        f"key: {flow(value)}\nlist: [{flow(value) if not isinstance(value, list) else 1}]\n",
        encoding="utf-8",
        newline="",
    )
    tree = fill(read_yaml(path), {}).tree
    assert tree["key"] == value
    if isinstance(value, str) and "," not in value:
        assert tree["list"] == [value]


@given(TEXT, TEXT, TEXT)
def test_no_comment_ends_before_its_line_does(found: str, guess: str, missing: str) -> None:
    entry = Entry("jobs", "x", {"timer": "y"}, found, {"timer": guess}, [missing])
    text = "jobs:\n" + "\n".join(entry_lines(entry, Redactor()))
    assert yaml.safe_load(text) == {"jobs": {"x": {"timer": "y"}}}


@pytest.mark.parametrize(
    ("names", "dumps", "archives"),
    [
        (
            ["db_20260302_020000.sql", "db_20260301_020000.sql", "app_20260302_020000.tar.gz"],
            "db_*.sql",
            "app_*.tar.gz",
        ),
        (["mycats-2026-03-02T02:00:00Z.dump", "mycats-2026-03-01T02:00:00Z.dump"], "mycats-*Z.dump", ""),
        (["20260302.sql.gz", "20260301.sql.gz", "notes.sql"], "*.sql.gz", ""),
        (["db.sql"], "db.sql", ""),
        ([], "", ""),
    ],
)
def test_the_pattern_of_backups(names: list[str], dumps: str, archives: str) -> None:
    assert (pattern(names, DATABASE), pattern(names, ARCHIVE)) == (dumps, archives)


SECRET = "Q7v9-Xw2Lk5"


def refused(*arguments: str, variables: Mapping[str, str] = {}) -> str:
    with pytest.raises(ConfigurationError) as error:
        wanted(arguments, variables)
    assert SECRET not in str(error.value)
    return str(error.value)


def test_all_mistakes_of_the_command_line_are_told_at_once_and_no_password() -> None:
    said = refused(f"ssh://u:{SECRET}@h", f"https://u:{SECRET}@h", f"postgresql://u:x@{SECRET}@h/d", "ftp://h", "app1", "--bogus",
                   f"--x=ssh://u:{SECRET}@h", "--ca-file", "/nowhere/ca", "-o", "x.txt")  # fmt: skip
    assert len(said.splitlines()) == 9
    assert "-o: found 'x.txt', allowed a path such as environments/production.yaml" in said
    assert "found no source" in refused("-o", "x.yaml")
    assert "--no-hosts" in refused("https://h", "-o", "x.yaml")
    assert "-o: found nothing" in refused("local://")
    assert "each host by itself" in refused("ssh://web[01:12]", "-o", "x.yaml")
    assert wanted(["ssh://root@[2001:db8::1]:22", "-o", "x.yaml"]).hosts[0].address == "2001:db8::1"
    assert "MISSING_ONE, which is not set" in refused("local://", "postgresql://u:${MISSING_ONE}@h/d", "-o", "x.yaml")


@pytest.mark.parametrize(
    ("source", "variables", "dsn", "written"),
    [
        (
            f"postgresql://u:{SECRET}@h/d",
            {},
            f"postgresql://u:{SECRET}@h/d",
            "postgresql://u:${MYCATS_MONITOR_PASSWORD}@h/d",
        ),
        (
            "postgresql://u@h/d",
            {"MYCATS_MONITOR_PASSWORD": "a%40b"},
            "postgresql://u:a%40b@h/d",
            "postgresql://u:${MYCATS_MONITOR_PASSWORD}@h/d",
        ),
        ("postgresql://u:${PW}@h/d", {"PW": SECRET}, f"postgresql://u:{SECRET}@h/d", "postgresql://u:${PW}@h/d"),
        ("postgresql://u@h/d", {}, "postgresql://u@h/d", "postgresql://u@h/d"),
    ],
)
def test_a_password_is_used_and_never_written(source: str, variables: dict[str, str], dsn: str, written: str) -> None:
    asked = wanted(["local://", source, "-o", "x.yaml"], variables)
    (database,) = asked.databases
    assert (database.dsn, database.written) == (dsn, written)
    assert SECRET not in repr(asked)
    assert database.given == (SECRET in source)


@pytest.mark.parametrize(
    "source",
    [
        f"postgresql://m:{SECRET}@${{DBHOST}}:1/mycats",
        f"postgresql://m@h/d?PASSWORD={SECRET}",
        f"postgresql://m@h/d?pass%77ord={SECRET}",
        f"u:{SECRET}@db",
        f"host=db password={SECRET}",
        f"--password={SECRET}",
    ],
)
def test_a_password_in_the_wrong_place_is_refused_and_not_repeated(source: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        wanted(["local://", source, "-o", "x.yaml"], {"DBHOST": "127.0.0.1"})
    assert SECRET not in str(refused.value)


@pytest.fixture
def an_api() -> Iterator[str]:
    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b'{"success": true, "data": {"status": "ok", "service": "Cats API"}}'
            self.send_response(200 if self.path == "/api/health" else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if self.path == "/api/health" else b"." * len(body))

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_where_nobody_can_log_in_the_file_is_valid_and_what_did_not_answer_is_not_excused(
    an_api: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "managed.yaml"
    database = f"postgresql://u:{SECRET}@127.0.0.1:1/d"
    code = command.main([an_api, database, "--no-hosts", "-o", str(path)], ROOT, NOW)
    said, complained = capsys.readouterr()
    assert code == 3, said + complained
    assert complained.count("not looked at: ") == complained.count("connection refused") == 1
    tree = yaml.safe_load(path.read_text())
    assert tree["apis"]["main"] == {"url": an_api, "health_path": "/api/health"}
    assert tree["databases"]["primary"]["dsn"] == "postgresql://u:${MYCATS_MONITOR_PASSWORD}@127.0.0.1:1/d"
    assert {"hosts", "frontends", "proxies", "certificates"} <= tree["not_applicable"].keys()
    assert "databases" not in tree["not_applicable"]
    assert SECRET not in path.read_text() + said + complained


def test_where_nothing_answers_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "live.yaml"
    assert command.main(["http://127.0.0.1:1", "--no-hosts", "-o", str(path)], ROOT, NOW) == 3
    assert not path.exists()
    assert "no source answered: nothing was written" in capsys.readouterr().err


def test_the_example_of_another_system_is_left_alone(
    an_api: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "production.yaml"
    path.write_text((ROOT / "environments/production.yaml").read_text())
    before = path.read_text()
    assert command.main([an_api, "--no-hosts", "--write", "-o", str(path)], ROOT, NOW) == 2
    assert path.read_text() == before
    assert f"describes none of {an_api}" in capsys.readouterr().err
