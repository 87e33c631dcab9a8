"""One connection, one read-only transaction, every question's queries in as few round trips as possible.

Written on psycopg's libpq wrapper (`psycopg.pq`), not on its `Connection`, for the sake of the deadline:
connect_timeout counts whole seconds, at least 2, per address, and ends with the connection (libpq manual,
"Parameter Key Words"); a server that falls silent afterwards holds a client for ever.

Settings are made by SET LOCAL in the transaction instead of the start-up packet's `options`, which connection
poolers such as PgBouncer refuse.
"""

from __future__ import annotations

import fcntl
import json
import os
import selectors
import sys
import termios
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg import Error, ProgrammingError, capabilities, conninfo, pq

from opsverify.errors import ProbeError, Unreachable
from opsverify.evidence.deadline import Deadline
from opsverify.probes.mark import AGENT
from opsverify.probes.postgres.question import Result, Rows, Statement
from opsverify.probes.postgres.refusals import StatementRefused, why_not_connected
from opsverify.probes.tcp.transport import resolve

LOCK_SECONDS = 1.0
STATEMENT_SHARE = 0.7
CLOSING_SECONDS = 1.0
MOST_MIB = 64
"""What a server may send in one session; the answers of all questions together have some hundred KiB."""

_NEVER_SHOWN = ("password", "sslpassword", "passfile", "oauth_client_secret")


@dataclass(frozen=True)
class _Attempt:
    """One address to try, and how messages name it."""

    parameters: dict[str, Any]
    place: str


class Session:
    """A connection with a transaction open in it. Use `open_session`; always `close`."""

    def __init__(self, connection: pq.abc.PGconn, place: str, deadline: Deadline, connect_seconds: float) -> None:
        self._connection = connection
        self._deadline = deadline
        self._received = 0
        self.place = place
        self.connect_seconds = connect_seconds
        self.round_trip_seconds = 0.0
        self.version_num: int = connection.server_version
        self.role = connection.user.decode(errors="replace")

    def begin(self) -> None:
        """Open the read-only transaction; its round trip is measured. Raises ProbeError."""
        # A slow query is ended before the deadline, so that the answers to the others still arrive.
        budget = max(1, int(self._deadline.remaining() * 1000 * STATEMENT_SHARE))
        self._connection.nonblocking = 1
        self._connection.enter_pipeline_mode()
        began = time.monotonic()
        opening = [
            Statement("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
            Statement(f"SET LOCAL statement_timeout = {budget}"),
            Statement(f"SET LOCAL lock_timeout = {min(budget, int(LOCK_SECONDS * 1000))}"),
            Statement(f"SET LOCAL idle_in_transaction_session_timeout = {budget + 2000}"),
            Statement("SET LOCAL DateStyle = 'ISO'"),
            Statement("SET LOCAL TimeZone = 'UTC'"),
            # With row security, a count would silently leave rows out; off, it is refused instead.
            Statement("SET LOCAL row_security = off"),
        ]
        outcomes, arrived = self._pipeline(opening)
        self.round_trip_seconds = arrived[0] - began
        for outcome in outcomes:
            if isinstance(outcome, StatementRefused):
                if outcome.sqlstate in ("57014", "08006"):
                    raise Unreachable(f"{self.place}: {outcome.summary.partition(' (SQLSTATE')[0]}")
                raise ProbeError(f"{self.place}: no read-only transaction can be opened ({outcome.summary})")

    def ask(self, queries: Sequence[Statement]) -> list[Result | StatementRefused]:
        """Run queries in one round trip; one refused, or one too slow, costs no other that came before."""
        commands = []
        for query in queries:
            # Rolling back to the savepoint serves both ends: it clears an error, and there is nothing to keep.
            commands += [Statement("SAVEPOINT q"), _as_json(query), Statement("ROLLBACK TO SAVEPOINT q")]
        sent_at, sent = datetime.now(UTC), time.monotonic()
        outcomes, arrived = self._pipeline(commands)
        results: list[Result | StatementRefused] = []
        for index in range(1, len(commands), 3):
            outcome = outcomes[index]
            if isinstance(outcome, StatementRefused):
                results.append(outcome)
            else:
                results.append(Result(outcome, sent_at, arrived[index] - sent))
        return results

    def _pipeline(self, commands: Sequence[Statement]) -> tuple[list[Rows | StatementRefused], list[float]]:
        """Outcome and moment of arrival of each command; those that the connection or time ran out on are refused."""
        # A sync after each: without, one error makes the server skip what follows (libpq manual, "Pipeline Mode").
        try:
            for command in commands:
                values = [None if value is None else str(value).encode() for value in command.values]
                self._connection.send_query_params(command.sql.encode(), values)
                self._connection.pipeline_sync()
        except Error:  # it went away while it was still asked; psycopg's text may quote the connection
            gone = StatementRefused("08006", "the server closed the connection in the middle of a question")
            return [gone] * len(commands), [time.monotonic()] * len(commands)
        outcomes: list[Rows | StatementRefused] = []
        arrived: list[float] = []
        current: Rows | StatementRefused = []
        moment = time.monotonic()
        while len(outcomes) < len(commands):
            try:
                result = self._next_result()
            except Unreachable:
                rest = StatementRefused("57014", f"no answer within {self._deadline.seconds:g} s")
            except ProbeError as error:
                rest = StatementRefused("08006", str(error))
            else:
                if result is not None and result.status == pq.ExecStatus.PIPELINE_SYNC:
                    outcomes.append(current)
                    arrived.append(moment)
                    current = []
                elif result is not None:
                    moment = time.monotonic()
                    current = self._outcome(result)
                continue
            missing = len(commands) - len(outcomes)
            outcomes += [rest] * missing
            arrived += [time.monotonic()] * missing
        return outcomes, arrived

    def _next_result(self) -> pq.abc.PGresult | None:
        """The next result, or None between two. Raises Unreachable past the deadline, ProbeError when cut off."""
        while True:
            try:
                unsent = self._connection.flush()
                if not self._connection.is_busy():
                    return self._connection.get_result()
                _ready(self._connection.socket, True, self._deadline.remaining(), both=unsent == 1)
                self._count(self._connection.socket)
                self._connection.consume_input()
                broken = self._connection.status == pq.ConnStatus.BAD
            except ProbeError:
                raise
            except Exception:  # judged below; psycopg's text may quote the connection
                broken = True
            if broken:
                raise ProbeError("the server closed the connection in the middle of an answer")

    def _count(self, socket: int) -> None:
        """Raise ProbeError once the server has sent more than it may; libpq would take rows and notices without end."""
        waiting = bytearray(4)
        fcntl.ioctl(socket, termios.FIONREAD, waiting)
        self._received += int.from_bytes(waiting, sys.byteorder)
        if self._received > MOST_MIB * 1024**2:
            raise ProbeError(f"the server sent more than {MOST_MIB} MiB, which no answer of ours has")

    def _outcome(self, result: pq.abc.PGresult) -> Rows | StatementRefused:
        if result.status == pq.ExecStatus.COMMAND_OK:
            return []
        if result.status == pq.ExecStatus.TUPLES_OK:
            value = result.get_value(0, 0) if result.ntuples else None
            rows: Rows = json.loads(value.decode("utf-8", "replace")) if value else []
            return rows
        state = result.error_field(pq.DiagnosticField.SQLSTATE) or b"?????"
        text = result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b""
        return StatementRefused(state.decode(errors="replace"), text.decode("utf-8", "replace"))

    def close(self) -> None:
        """End the connection, cancelling whatever still runs, within about a second."""
        try:
            if self._connection.transaction_status == pq.TransactionStatus.ACTIVE:
                self._cancel()
        finally:
            self._connection.finish()

    def _cancel(self) -> None:
        if not capabilities.has_cancel_safe():  # libpq before 17 can only block; statement_timeout has to do
            return
        waited = Deadline(CLOSING_SECONDS)
        request = self._connection.cancel_conn()
        try:
            request.start()
            while (state := request.poll()) in (pq.PollingStatus.READING, pq.PollingStatus.WRITING):
                _ready(request.socket, state == pq.PollingStatus.READING, waited.remaining())
        except (Error, ProbeError):
            pass  # nobody to tell: the answers are in, or lost already
        finally:
            request.finish()


def _ready(socket: int, reading: bool, seconds: float, both: bool = False) -> bool:
    """Wait until a socket can be read (or written, or `both`); False when `seconds` passed."""
    # A new selector each time: while connecting, libpq may move on to another socket.
    with selectors.DefaultSelector() as selector:
        either = selectors.EVENT_READ | selectors.EVENT_WRITE
        selector.register(socket, either if both else selectors.EVENT_READ if reading else selectors.EVENT_WRITE)
        return bool(selector.select(seconds))


def _as_json(query: Statement) -> Statement:
    """The query with its rows as one JSON array: typed values of every server version, without type adapters."""
    sql = f"SELECT coalesce(pg_catalog.json_agg(r), '[]'::pg_catalog.json) FROM ({query.sql}) AS r"  # noqa: S608 - our own queries
    return Statement(sql, query.values)


def open_session(dsn: str, deadline: Deadline) -> Session:
    """Connect and open the transaction. Raises one Unreachable that names what was tried, without credentials."""
    began = time.monotonic()
    attempts, secrets = _attempts(dsn, deadline)
    reasons: list[str] = []
    for index, attempt in enumerate(attempts):
        limit = deadline.remaining() / (len(attempts) - index)
        connection, reason = _connect(attempt, limit, deadline.seconds, secrets)
        if connection is None:
            reasons.append(f"{attempt.place}: {reason}")
            continue
        session = Session(connection, attempt.place, deadline, time.monotonic() - began)
        try:
            session.begin()
        except BaseException:
            session.close()
            raise
        return session
    raise Unreachable("; ".join(dict.fromkeys(reasons)))


def _attempts(dsn: str, deadline: Deadline) -> tuple[list[_Attempt], list[str]]:
    """One attempt per address, with the parameters that every connection of ours has; and what must not be shown."""
    try:
        given = conninfo.conninfo_to_dict(dsn)
    except ProgrammingError:
        given = {}
    if not given:
        # libpq quotes the offending piece, which may be a part of the password.
        raise ProbeError(
            "the dsn is not understood by libpq (a special character in the password must be %-encoded; "
            "parameters that only Prisma knows, such as schema, must be left out)"
        )
    secrets = [str(given[key]) for key in _NEVER_SHOWN if given.get(key)]
    own = {
        "application_name": AGENT,
        "client_encoding": "UTF8",
        "keepalives_idle": "10",
        "tcp_user_timeout": str(max(1000, int(deadline.seconds * 1000))),
        "gssencmode": given.get("gssencmode") or "disable",
    }
    common = {key: value for key, value in given.items() if key not in ("host", "hostaddr", "port")} | own
    attempts: list[_Attempt] = []
    lost: list[str] = []
    for host, address, port in _places(given):
        place = f"{host or address}:{port}" if (host or address) else _default_place(given)
        if host and not address and not host.startswith(("/", "@")):
            try:
                addresses = [str(where[0]) for _, where in resolve(host, int(port or 5432), deadline)]
            except (OSError, ValueError):
                lost.append(f"{place}: its name could not be resolved")
                continue
        else:
            addresses = [address]
        for ip in dict.fromkeys(addresses):
            where = {"host": host, "hostaddr": ip, "port": port}
            if ip and _is_stranger(given):
                where["require_auth"] = "!password"
            attempts.append(_Attempt(common | {k: v for k, v in where.items() if v}, place))
    if not attempts:
        raise Unreachable("; ".join(lost))
    return attempts, secrets


def _is_stranger(given: dict[str, Any]) -> bool:
    """Whether the server could be anybody, so that it gets no password in clear text, however it asks for it.

    It is known by a verified certificate, or trusted by whoever says so: `require_auth` in the dsn, PGREQUIREAUTH, or a
    service file, which decides by itself. Source: libpq manual, "require_auth" (16), "sslmode".
    """
    verified = (given.get("sslmode") or os.environ.get("PGSSLMODE")) in ("verify-ca", "verify-full")
    says_so = given.get("require_auth") or os.environ.get("PGREQUIREAUTH") or given.get("service")
    return pq.version() >= 160000 and not verified and not says_so


def _places(given: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(host, hostaddr, port) of each host of a connection string; empty ones are libpq's business (service file)."""
    hosts = str(given.get("host") or "").split(",")
    addresses = str(given.get("hostaddr") or "").split(",")
    count = max(len(hosts), len(addresses))
    ports = str(given.get("port") or "").split(",")
    ports = ports * count if len(ports) == 1 else ports
    padded = [items + [""] * (count - len(items)) for items in (hosts, addresses, ports)]
    from_service = bool(given.get("service"))
    return [(h, a, p or ("" if from_service else "5432")) for h, a, p in zip(*padded, strict=False)]


def _default_place(given: dict[str, Any]) -> str:
    return f"service {given['service']}" if given.get("service") else "the default PostgreSQL socket"


def _connect(attempt: _Attempt, limit: float, seconds: float, secrets: list[str]) -> tuple[pq.abc.PGconn | None, str]:
    """A connection, or None and why not."""
    connection = pq.PGconn.connect_start(conninfo.make_conninfo("", **attempt.parameters).encode())
    end = time.monotonic() + limit
    while connection.status != pq.ConnStatus.BAD:
        state = connection.connect_poll()
        if state == pq.PollingStatus.OK:
            return connection, ""
        if state == pq.PollingStatus.FAILED:
            break
        left = end - time.monotonic()
        if left <= 0 or not _ready(connection.socket, state == pq.PollingStatus.READING, left):
            connection.finish()
            return None, f"no answer within {seconds:g} s"
    role = connection.user.decode(errors="replace")
    database = connection.db.decode(errors="replace")
    text = connection.error_message.decode("utf-8", "replace")
    needs_password = connection.needs_password
    connection.finish()
    return None, why_not_connected(text, role, database, needs_password, secrets)
