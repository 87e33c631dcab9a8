"""Hosts, and the account of the checks on them."""

from __future__ import annotations

from urllib.parse import urlsplit

from opsverify.discover.draft import Draft, Entry
from opsverify.discover.seen import HostSeen, Seen


def understand(seen: Seen, draft: Draft) -> None:
    """Every host that was given, also one that did not answer."""
    accounts = {"root"}
    for one in seen.hosts:
        body = {"connection": one.host.connection}
        if one.host.ssh_config:
            body["ssh_config"] = str(one.host.ssh_config)
        entry = Entry("hosts", one.host.name, body, _found(one))
        if one.lost:
            entry.missing.append("what lies on it: run this again when it answers")
        elif not one.processes.root and one.processes.sockets:
            sudo = f"{one.host.connection}{'&' if '?' in one.host.connection else '?'}sudo=true"
            entry.missing.append(f"what only root sees (docs/privileges.md); with sudo:\nconnection: {sudo}")
        draft.add(entry)
        user = urlsplit(one.host.connection).username
        accounts |= {user} if user and not one.lost else set()
    if len(accounts) > 1:
        names = ["root", *sorted(accounts - {"root"})]
        draft.checks["access-rights"] = (
            {"login_accounts": names},
            "found: the account of these checks may log in; add whoever else may",
        )


def _found(one: HostSeen) -> str:
    if one.lost:
        return f"did not answer: {one.lost}"
    kinds = []
    if one.units.systemd:
        kinds.append(f"systemd with {sum(unit.active for unit in one.units.units)} active units and timers")
    if one.containers.engines:
        kinds.append(f"{len(one.containers.containers)} containers of {' and '.join(one.containers.engines)}")
    kinds.append(f"{len({socket.port for socket in one.processes.sockets})} listening ports")
    return f"answered: {', '.join(kinds)}"


__all__ = ["understand"]
