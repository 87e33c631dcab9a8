"""The connection itself: read-only, bounded in time, silent about secrets, and gone afterwards."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote

import pytest

from opsverify.config.environment import Database
from opsverify.errors import ProbeError, Unreachable
from opsverify.evidence.deadline import Deadline
from opsverify.probes.postgres.applied_migrations import AppliedMigrations
from opsverify.probes.postgres.clock import Clock, ClockFacts
from opsverify.probes.postgres.connect import Connect
from opsverify.probes.postgres.probe import probe as postgres_probe
from opsverify.probes.postgres.question import Statement
from opsverify.probes.postgres.refusals import why_not_connected
from opsverify.probes.postgres.row_counts import RowCounts
from opsverify.probes.postgres.server_version import ServerVersion, ServerVersionFacts
from tests.pace import AMPLE, HANGS, SOON, slowed, until

PASSWORD = "pl4nted-S3cret%/'x"


@dataclass(frozen=True)
class Saying:
    """A question that says anything."""

    sql: str
    weight: ClassVar[int] = 1

    def steps(self, server: Any) -> Any:
        return (yield Statement(self.sql)).rows


PORT = Saying("SELECT inet_server_port() AS port")


def probe(target: Database, *questions: Any, seconds: float = AMPLE) -> dict[Any, Any]:
    return postgres_probe(target, frozenset(questions), Deadline(seconds))


def target(dsn: str) -> Database:
    return Database.model_validate({"name": "main", "dsn": dsn})


def refused(database: Database, seconds: float = AMPLE) -> str:
    began = time.monotonic()
    with pytest.raises(Unreachable) as caught:
        probe(database, Connect(), seconds=seconds)
    assert time.monotonic() - began < SOON
    return str(caught.value)


def ours(cluster: Any) -> int:
    with cluster.connect("postgres") as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'opsverify'"
        ).fetchone()
    return int(row[0])


def gone(cluster: Any) -> bool:
    """Whether no connection of ours is left; a backend needs a moment to end."""
    until(lambda: not ours(cluster))
    return True


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO cats (name) VALUES ('x') RETURNING id",
        "WITH w AS (INSERT INTO cats (name) VALUES ('x') RETURNING id) SELECT * FROM w",
        "SELECT nextval('cats_id_seq')",
        "SELECT 1) r; COMMIT; INSERT INTO cats (name) VALUES ('x'); SELECT FROM (SELECT 1",
        "SELECT set_config('transaction_read_only', 'off', true)",
    ],
)
def test_nothing_can_be_written(database: Any, cluster: Any, sql: str) -> None:
    answer = probe(database(), Saying(sql))[Saying(sql)]
    assert isinstance(answer, ProbeError)
    with cluster.connect() as connection:
        assert connection.execute("SELECT count(*), (SELECT last_value FROM cats_id_seq) FROM cats").fetchone() == (
            100,
            100,
        )


def test_one_failing_question_costs_only_itself(database: Any) -> None:
    bad = [Saying("SELECT 1/0 AS x"), Saying("SELECT * FROM nowhere"), Saying("this is no SQL"), "no question"]
    answers = probe(database("ordinary"), *bad, ServerVersion(), RowCounts(("cats",)))
    assert "22012" in str(answers[bad[0]])
    assert "42P01" in str(answers[bad[1]])
    assert "42601" in str(answers[bad[2]])
    assert "knows no question" in str(answers[bad[3]])
    assert isinstance(answers[ServerVersion()], ServerVersionFacts)
    assert answers[RowCounts(("cats",))].counts == (("cats", 100),)


def test_a_question_with_a_bug_costs_only_itself(database: Any) -> None:
    @dataclass(frozen=True)
    class Buggy:
        def steps(self, server: Any) -> Any:
            yield Statement("SELECT 1 AS x")
            raise KeyError(PASSWORD)

    answers = probe(database(), Buggy(), ServerVersion())
    assert str(answers[Buggy()]) == "Buggy failed with KeyError: please report this"
    assert isinstance(answers[ServerVersion()], ServerVersionFacts)


def test_no_connection_is_left(database: Any, cluster: Any) -> None:
    probe(database("ordinary"), ServerVersion(), Saying("SELECT 1/0 AS x"))
    assert gone(cluster)


def test_a_slow_query_costs_only_itself_and_is_ended_on_the_server(database: Any, cluster: Any) -> None:
    slow = Saying("SELECT pg_sleep(600)")
    began = time.monotonic()
    answers = probe(database("ordinary"), slow, Clock(), Saying("SELECT 'zz' AS z"), seconds=slowed(1))
    assert time.monotonic() - began < SOON
    assert str(answers[slow]) == "Saying: not answered in time; the query was cancelled"
    assert isinstance(answers[Clock()], ClockFacts)
    assert answers[Saying("SELECT 'zz' AS z")] == [{"z": "zz"}]
    assert gone(cluster)


def test_several_slow_queries_end_at_the_deadline_too(database: Any, cluster: Any) -> None:
    slow = [Saying(f"SELECT pg_sleep(600), {n}") for n in range(4)]
    began = time.monotonic()
    answers = probe(database("ordinary"), *slow, Clock(), seconds=slowed(1))
    assert time.monotonic() - began < SOON
    assert all("not answered in time" in str(answers[question]) for question in slow)
    assert isinstance(answers[Clock()], ClockFacts)
    assert gone(cluster)


def test_a_lock_is_not_waited_for(database: Any, cluster: Any) -> None:
    with cluster.connect() as connection, connection.transaction():
        connection.execute("LOCK TABLE _prisma_migrations IN ACCESS EXCLUSIVE MODE")
        answers = probe(database("ordinary"), AppliedMigrations(), ServerVersion(), seconds=slowed(4))
    assert "another session holds a lock" in str(answers[AppliedMigrations()])
    assert isinstance(answers[ServerVersion()], ServerVersionFacts)


@contextlib.contextmanager
def listening(talk: Any) -> Iterator[int]:
    """A port on which `talk` gets every connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                threading.Thread(target=talk, args=(sock,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def linger(sock: socket.socket) -> None:
    """Say nothing until the other side gives up."""
    sock.settimeout(HANGS)
    while sock.recv(1000):
        pass


def silent(sock: socket.socket) -> None:
    with sock, contextlib.suppress(OSError):
        linger(sock)


def dripping(sock: socket.socket) -> None:
    with sock, contextlib.suppress(OSError):
        sock.recv(8)
        sock.sendall(b"N")
        sock.recv(1000)
        sock.sendall(b"R\x00\x00\x00\xff")
        for _ in range(6000):
            sock.sendall(b"\x00")
            time.sleep(0.1)


def http(sock: socket.socket) -> None:
    with sock, contextlib.suppress(OSError):
        sock.recv(100)
        sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def silent_after_login(sock: socket.socket) -> None:
    with sock, contextlib.suppress(OSError):
        sock.recv(8)
        sock.sendall(b"N")
        sock.recv(1000)
        sock.sendall(b"R\x00\x00\x00\x08\x00\x00\x00\x00" + b"Z\x00\x00\x00\x05I")
        linger(sock)


def cleartext(received: list[bytes]) -> Any:
    """A server that wants the password as it is, and keeps what it gets."""

    def talk(sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            sock.settimeout(HANGS)
            received.append(sock.recv(8))
            sock.sendall(b"N")
            received.append(sock.recv(1000))
            sock.sendall(b"R\x00\x00\x00\x08\x00\x00\x00\x03")
            while more := sock.recv(1000):
                received.append(more)
                sock.sendall(b"E\x00\x00\x00\x05\x00")

    return talk


def flooding(message: bytes) -> Any:
    """A server that answers whatever it is asked with one message, for ever."""

    def talk(sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            sock.settimeout(HANGS)
            sock.recv(8)
            sock.sendall(b"N")
            sock.recv(1000)
            sock.sendall(b"R\x00\x00\x00\x08\x00\x00\x00\x00" + b"Z\x00\x00\x00\x05I")
            sock.recv(1)
            while True:
                sock.sendall(message)

    return talk


NOTICE = b"N" + (4 + 2 + 60000 + 2).to_bytes(4, "big") + b"M" + b"x" * 60000 + b"\0" + b"\0" + b""
FLOODS = {
    "notices": NOTICE[:1] + (len(NOTICE) - 1).to_bytes(4, "big") + NOTICE[5:],
    "one row without end": b"1\0\0\0\x042\0\0\0\x04D" + (2**30).to_bytes(4, "big") + b"\0\x01" + b"x" * 2**20,
}


@pytest.mark.parametrize("flood", FLOODS)
def test_a_server_that_sends_without_end_is_left(flood: str) -> None:
    with listening(flooding(FLOODS[flood])) as port:
        message = refused(target(f"postgresql://x:y@127.0.0.1:{port}/mycats"), seconds=AMPLE)
    assert message == f"127.0.0.1:{port}: the server sent more than 64 MiB, which no answer of ours has"


def test_nobody_unknown_gets_a_password_in_clear_text() -> None:
    received: list[bytes] = []
    with listening(cleartext(received)) as port:
        dsn = f"postgresql://x:{PASSWORD_SENT}@127.0.0.1:{port}/mycats"
        message = refused(target(dsn))
        assert "asks for the password in clear text without being known by its certificate" in message
        assert PASSWORD_SENT.encode() not in b"".join(received)
        refused(target(f"{dsn}?sslmode=prefer"))
        assert PASSWORD_SENT.encode() not in b"".join(received)
        refused(target(f"{dsn}?require_auth=password"))  # that is meant
        until(lambda: PASSWORD_SENT.encode() in b"".join(received))


PASSWORD_SENT = "in-clear-text"


@pytest.mark.parametrize("talk", [silent, dripping, silent_after_login])
def test_a_silent_server_ends_at_the_deadline(talk: Any) -> None:
    with listening(talk) as port:
        message = refused(target(f"postgresql://x:y@127.0.0.1:{port}/mycats"), seconds=0.7)
    assert message == f"127.0.0.1:{port}: no answer within 0.7 s"


def test_what_is_no_postgresql() -> None:
    with listening(http) as port:
        message = refused(target(f"postgresql://x:y@127.0.0.1:{port}/mycats"))
    assert "does not speak PostgreSQL's protocol" in message or "closed without an answer" in message


def test_a_silent_first_host_leaves_time_for_the_second(cluster: Any) -> None:
    with listening(silent) as port:
        dsn = f"host=127.0.0.1,127.0.0.1 port={port},{cluster.port} user=postgres dbname=mycats"
        assert probe(target(dsn), PORT, seconds=slowed(2))[PORT] == [{"port": cluster.port}]


def test_a_server_that_goes_away_in_the_middle(database: Any, cluster: Any) -> None:
    bye = Saying("SELECT pg_terminate_backend(pg_backend_pid())")
    later = Saying("SELECT true AS z")
    for _ in range(10):
        answers = probe(database(), bye, Clock(), later)
        if "middle of a question" not in str(answers[bye]):
            break  # else it was gone before all was asked: then nothing is known, and that is said
        assert all(isinstance(answer, ProbeError) for answer in answers.values())
    assert "57P01" in str(answers[bye]) or "closed the connection" in str(answers[bye])
    assert isinstance(answers[Clock()], ClockFacts)
    assert isinstance(answers[later], ProbeError)


def test_refusals_are_one_sentence_each(database: Any, cluster: Any) -> None:
    place = f"127.0.0.1:{cluster.port}"
    assert refused(database("ordinary", password="wrong")) == f"{place}: password refused for role ordinary"
    assert refused(database("nobody")) == f"{place}: password refused for role nobody"
    assert refused(database("ordinary", dbname="nope")) == f"{place}: there is no database nope"
    assert refused(target(f"postgresql://ordinary@{place}/mycats?passfile=/dev/null")) == (
        f"{place}: role ordinary needs a password, and none is configured"
    )
    assert refused(database("ordinary", sslmode="require")) == (
        f"{place}: the server offers no TLS, which the dsn requires"
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = listener.getsockname()[1]
    assert refused(target(f"postgresql://x@127.0.0.1:{free}/m")) == f"127.0.0.1:{free}: connection refused"
    assert refused(target("postgresql://x@no-such-host.invalid/m")) == (
        "no-such-host.invalid:5432: its name could not be resolved"
    )
    assert refused(target("host=/nowhere dbname=x")) == "/nowhere:5432: no server listens on that socket"
    assert "service that the dsn names is not defined" in refused(target("service=nope-nope"))


def test_a_service_file_works(cluster: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "pg_service.conf"
    file.write_text(f"[cats]\nhost=127.0.0.1\nport={cluster.port}\ndbname=mycats\nuser=postgres\n")
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    assert probe(target("service=cats"), PORT)[PORT] == [{"port": cluster.port}]


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://ordinary:{quoted}@127.0.0.1:{port}/nope",
        "postgresql://nobody:{quoted}@127.0.0.1:{port}/mycats",
        "postgresql://ordinary:{quoted}x@127.0.0.1:{port}/mycats",
        "postgresql://ordinary:{quoted}@127.0.0.1:1/mycats",
        "postgresql://ordinary:{quoted}@no-such-host.invalid/mycats",
        "postgresql://ordinary:{quoted}@127.0.0.1:{port}/mycats?schema={quoted}",
        "host=127.0.0.1 dbname=x password='{quoted}' port=99999",
        "host=127.0.0.1 dbname=x password='{quoted}' sslmode={quoted}",
        "host=127.0.0.1 dbname=x password='{quoted}' port=abc",
    ],
)
def test_the_password_is_in_nothing_that_comes_out(cluster: Any, dsn: str) -> None:
    text = dsn.format(quoted=quote(PASSWORD, safe=""), port=cluster.port)
    with pytest.raises(ProbeError) as caught:
        probe(target(text), ServerVersion())
    shown = str(caught.value) + repr(caught.value)
    shown += "".join(traceback.format_exception(caught.value, chain=True))
    link: BaseException | None = caught.value
    while link is not None:
        shown += str(link) + repr(link.args)
        link = link.__cause__ or link.__context__
    assert "pl4nted" not in shown
    assert "S3cret" not in shown


def test_an_unknown_refusal_is_quoted_without_secrets() -> None:
    text = 'connection to server at "h" (1.2.3.4), port 5 failed: FATAL:  quelque chose s3cret%/ et s3cret%25%2F'
    assert why_not_connected(text, "r", "d", False, ["s3cret%/"]) == "FATAL: quelque chose … et …"
    assert why_not_connected("", "r", "d", False, []) == "the connection failed"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ('ユーザー"x"のパスワード認証に失敗しました', "password refused for role x"),
        ('データベース"d"は存在しません', "there is no database d"),
        ('ロール"x"は存在しません', "there is no role x"),
        ('ロール"x"はログインが許可されません', "role x may not log in"),
        ('データベース"d"へのアクセスが拒否されました', "role x may not connect to d"),
        (
            'pg_hba.conf にホスト"h"、ユーザー"x"、データベース"d, SSLオフ用のエントリがありません',
            "pg_hba.conf has no entry for role x and d from here",
        ),
        ("現在クライアント数が多すぎます", "it has no free connection left for role x"),
        ('ロール"x"からの接続が多すぎます', "it has no free connection left for role x"),
        (
            "残りの接続スロットはレプリケーションユーザーではないスーパーユーザー用に予約されています",
            "it has no free connection left for role x",
        ),
        ("データベースシステムは起動処理中です", "the database system is starting up"),
        ("データベースシステムはまだ接続を受け付けていません", "the database system is starting up"),
        ("データベースシステムはシャットダウンしています", "the database system is shutting down"),
        ("データベースシステムはリカバリモードです", "the database system is in crash recovery"),
    ],
)
def test_a_server_that_speaks_japanese_is_understood(text: str, meaning: str) -> None:
    """The texts are those of PostgreSQL 15's own message catalogue."""
    output = f'connection to server at "h", port 1 failed: FATAL:  {text}'
    assert why_not_connected(output, "x", "d", False, []) == meaning
