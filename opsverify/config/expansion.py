"""What a group of hosts makes of an environment: each of its hosts, and on each of them what lies on the group.

A target whose `host` is a group becomes one target on each host of it, called `backend@web001`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from opsverify.config.environment import KINDS, Environment, HostEntry, Target

Members = Mapping[str, Mapping[str, str]]
"""By group: the connection to each of its hosts, by the host's name."""


def names_on_groups(tree: Mapping[str, Any], members: Members) -> Iterator[tuple[str, str, str]]:
    """(kind, name in the file, name on a host) of every target that a group makes several of."""
    for kind in KINDS:
        targets = tree.get(kind)
        for name, body in targets.items() if isinstance(targets, Mapping) else ():
            group = body.get("host") if isinstance(body, Mapping) else None
            for host in members.get(group, ()) if isinstance(group, str) else ():
                yield kind, str(name), f"{name}@{host}"


def expanded(environment: Environment, members: Members) -> Environment:
    """The environment with every host of its groups, and everything that lies on each of them."""
    changed: dict[str, Any] = {"hosts": dict(_hosts(environment.hosts, members))}
    stand_for: dict[str, set[str]] = {group: set(hosts) for group, hosts in members.items()}
    for kind in KINDS:
        targets: Mapping[str, Target] = getattr(environment, kind)
        if kind != "hosts" and any(getattr(target, "host", None) in members for target in targets.values()):
            changed[kind] = {}
            for name, target in targets.items():
                on = {f"{name}@{host}": host for host in members.get(getattr(target, "host", None) or "", ())}
                copies = {one: target.model_copy(update={"name": one, "host": host}) for one, host in on.items()}
                changed[kind] |= copies or {name: target}
                stand_for.setdefault(name, set()).update(copies)
    changed["waivers"] = tuple(
        waiver.model_copy(update={"stands_for": frozenset(stand_for.get(waiver.target or "", ()))})
        for waiver in environment.waivers
    )
    if environment.notify is not None:
        changed["notify"] = environment.notify.standing_for(stand_for)
    return environment.model_copy(update=changed)


def _hosts(entries: Mapping[str, HostEntry], members: Members) -> Iterator[tuple[str, HostEntry]]:
    for name, entry in entries.items():
        if name not in members:
            yield name, entry
        for member, address in members.get(name, {}).items():
            own = entry.members.get(member)
            different = {key: getattr(own, key) for key in own.model_fields_set} if own else {}
            excused = {**entry.not_applicable, **different.get("not_applicable", {})}
            said = {"name": member, "connection": address, "not_applicable": excused}
            plain: dict[str, Any] = {"inventory": None, "group": None, "members": {}}
            yield member, entry.model_copy(update={**plain, **different, **said})


__all__ = ["Members", "expanded", "names_on_groups"]
