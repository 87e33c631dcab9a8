"""Databases: those that were given, and those that run on a host."""

from __future__ import annotations

from typing import Any

from opsverify.discover.arguments import PASSWORD
from opsverify.discover.draft import Draft, Entry, Reference
from opsverify.discover.seen import DatabaseSeen, HostSeen, Seen
from opsverify.probes.host.system.sockets import Socket

_ACCOUNT = "make the role with opsverify/sql/monitoring-role.sql"


def understand(seen: Seen, draft: Draft) -> None:
    """Every database that was given; where none was, a guess for each cluster on a host."""
    for number, one in enumerate(seen.databases):
        entry = Entry("databases", "primary" if number == 0 else f"database{number + 1}",
                      {"dsn": Reference(one.source.written)}, _found(one))  # fmt: skip
        if one.source.variable:
            draft.variables[one.source.variable] = f"the password in databases.{entry.name}.dsn"
        entry.missing += _lacking(one)
        draft.add(entry)
        _certificate(one, entry.name, draft)
        _same_server(one, seen, draft)
    if seen.databases:
        _not_given(seen, draft)
        return
    for host in seen.hosts:
        for cluster in host.clusters.clusters:
            address = host.host.address or host.host.name
            dsn = f"postgresql://mycats_monitor:${{{PASSWORD}}}@{address}:{cluster.port}/mycats"
            found = f"cluster {cluster.version}/{cluster.name} on {host.host.name}, port {cluster.port}"
            found += "" if cluster.online else ", NOT RUNNING NOW"
            entry = Entry("databases", "primary", {"dsn": Reference(dsn)}, found)
            entry.guesses["dsn"] = f"role and name of the database are the usual ones; {_ACCOUNT}"
            entry.missing.append(
                f"what it says itself: give this command postgresql://mycats_monitor@{address}:{cluster.port}/mycats"
            )
            draft.variables[PASSWORD] = f"the password in databases.{entry.name}.dsn"
            draft.add(entry)


def _found(one: DatabaseSeen) -> str:
    if one.lost or one.itself is None:
        return f"did not answer: {one.lost}"
    facts = one.itself
    words = [f"PostgreSQL {facts.version}", "a standby" if facts.standby else "a primary"]
    words.append(f"extensions {', '.join(facts.extensions)}")
    words.append("with Prisma's migrations" if facts.prisma else "WITHOUT Prisma's migrations")
    words.append("over TLS" if facts.tls else "not encrypted")
    return ", ".join(words)


def _lacking(one: DatabaseSeen) -> list[str]:
    facts = one.itself
    if facts is None:
        return []
    lines = []
    if "pg_stat_statements" not in facts.extensions:
        lines.append("slow-queries needs: CREATE EXTENSION pg_stat_statements; (and it in shared_preload_libraries)")
    if not facts.monitors:
        lines.append(f"the role is no member of pg_monitor: {_ACCOUNT}")
    if facts.superuser:
        lines.append(f"the role is a superuser, more than the checks need: {_ACCOUNT}")
    if "sslmode=verify" not in one.source.written:
        lines.append("?sslmode=verify-full would also prove the server's certificate")
    if one.source.variable == "":
        lines.append("no password was given: it came from ~/.pgpass, a client certificate, or is not asked for")
    return lines


def _same_server(one: DatabaseSeen, seen: Seen, draft: Draft) -> None:
    """A backend beside its database calls it by another name than we do."""
    address, port = _place(one)
    for host in seen.hosts:
        sockets = [socket for socket in host.processes.sockets if socket.port == port]
        reached = [socket for socket in sockets if address in _names(socket, host)]
        looped = [socket for socket in sockets if socket.address in ("127.0.0.1", "0.0.0.0", "::")]  # noqa: S104
        known = [
            set(a.owner_pids) & set(b.owner_pids) for a in reached for b in looped if a.owner_pids and b.owner_pids
        ]
        if host.clusters.clusters and reached and looped and (not known or any(known)):
            found = f"found: on {host.host.name}, what listens on {address}:{port} does so on 127.0.0.1, too"
            draft.checks["database-url"] = ({"also_named": ["127.0.0.1", "localhost"]}, found)


def _place(one: DatabaseSeen) -> tuple[str, int]:
    """(host, port) of a database, of the first host where it names several."""
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(one.source.dsn)
    return str(parts.get("host") or "localhost").partition(",")[0], int(
        str(parts.get("port") or 5432).partition(",")[0]
    )


def _names(socket: Socket, host: HostSeen) -> set[str]:
    """By which addresses we may mean a socket of a host: its own loopback is nobody else's."""
    return ({socket.address} if socket.public else set()) | {host.host.address or ""}


def _not_given(seen: Seen, draft: Draft) -> None:
    """Clusters on a host that none of the given addresses leads to."""
    places = {_place(one) for one in seen.databases}
    for host in seen.hosts:
        for cluster in host.clusters.clusters:
            names = {host.host.address or ""}.union(
                *(_names(socket, host) for socket in host.processes.sockets if socket.port == cluster.port)
            )
            if cluster.online and not any((name, cluster.port) in places for name in names):
                what = f"cluster {cluster.version}/{cluster.name} on {host.host.name}, port {cluster.port}"
                draft.notices.append(f"{what}: none of the databases that were given is known to be it")


def _certificate(one: DatabaseSeen, name: str, draft: Draft) -> None:
    if one.itself is None or not one.itself.tls:
        return
    host, port = _place(one)
    if host.startswith("/"):
        return
    body: dict[str, Any] = {"address": host, "port": port, "protocol": "postgres"}
    draft.add(Entry("certificates", f"database-{name}", body, "the session with it was encrypted"))


__all__ = ["understand"]
