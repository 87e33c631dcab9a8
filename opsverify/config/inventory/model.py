"""What an inventory says: groups, their hosts, and the variables in force for each host.

Source: Ansible documentation, "How to build your inventory" ("How variables are merged"), "Using variables"
("Understanding variable precedence"): a child group wins over its parents, of groups at one depth the last in
alphabetical order or the one with the larger ansible_group_priority, files in group_vars over the inventory itself, a
host's own over all groups'.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from opsverify.config.mistakes import near, shown
from opsverify.config.ranges import MOST, expand

ALL, UNGROUPED = "all", "ungrouped"
PRIORITY = "ansible_group_priority"


@dataclass(frozen=True)
class Variable:
    """A value, and where it stands: `production.ini, line 3`. Not in repr: it may be a secret."""

    value: object = field(repr=False)
    where: str


@dataclass
class Group:
    """A group as the file has it; hosts and children with the line that names them first."""

    hosts: dict[str, int] = field(default_factory=dict)
    children: dict[str, int] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    beside: dict[str, Variable] = field(default_factory=dict)
    """Those of files in group_vars."""


class Inventory:
    """An inventory while it is read, and then what it says. Mistakes are listed, not raised."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.groups = {ALL: Group(), UNGROUPED: Group()}
        self.hosts: dict[str, dict[str, Variable]] = {}
        self.beside: dict[str, dict[str, Variable]] = {}
        """Those of files in host_vars, by host."""
        self.mistakes: list[str] = []
        self._order: list[str] = []
        self._above: dict[str, set[str]] = {}
        self._groups_of: dict[str, list[str]] = {}
        self._merged: dict[tuple[str, ...], dict[str, Variable]] = {}

    def where(self, line: int) -> str:
        """How a line is named."""
        return f"{self.path}, line {line}"

    def mistake(self, line: int, text: str) -> None:
        """List a mistake: `found …, allowed …`."""
        self.mistakes.append(f"{self.where(line)}: {text}")

    def add_hosts(self, group: str, pattern: str, line: int, variables: Mapping[str, Variable]) -> None:
        """Put a host, or all of a range (`web[1:9]:2222`: with their port), into a group."""
        name, port = pattern, ""
        head, colon, tail = pattern.rpartition(":")
        if colon and tail.isdecimal() and head.count("[") == head.count("]"):
            name, port = head, tail
        try:
            names = expand(name)
        except ValueError as problem:
            self.mistake(line, f"found {shown(_harmless(name))}, allowed {problem}")
            return
        if len(self.hosts) + len(names) > MOST:
            self.mistake(line, f"found more than {MOST:,} hosts by here, allowed {MOST:,} in an inventory")
            return
        members = self.groups[group].hosts
        twice = [one for one in names if members.setdefault(one, line) != line]
        if twice:
            more = f" (and {len(twice) - 1} more)" if len(twice) > 1 else ""
            again = f"{shown(_harmless(twice[0]))}{more} again"
            self.mistake(line, f"found {again}, allowed once in a group: see line {members[twice[0]]}")
        for one in names:
            if port and one not in self.hosts:  # Ansible takes no notice of it behind a host that it knows
                self.hosts[one] = {"ansible_port": Variable(port, self.where(line))}
            self.hosts.setdefault(one, {}).update(variables)

    def close(self) -> None:
        """Work out who is in what, once all is read."""
        parents: dict[str, set[str]] = {name: set() for name in self.groups}
        for name, group in self.groups.items():
            for child, line in group.children.items():
                if child in parents:
                    parents[child].add(name)
                else:
                    self.mistake(line, f"found a group {shown(child)} that is nowhere, allowed {self._near(child)}")
        for line in self.groups[UNGROUPED].children.values():
            self.mistake(line, "found a group in ungrouped, allowed hosts only: it is what is in no group")
        for name, above in parents.items():
            if not above and name != ALL:
                above.add(ALL)
        try:
            order = list(TopologicalSorter(parents).static_order())
        except CycleError as error:
            circle = " > ".join(reversed(error.args[1]))
            self.mistakes.append(f"{self.path}: found a group within itself ({circle}), allowed a tree of groups")
            return
        depth: dict[str, int] = {}
        for name in order:
            depth[name] = max((depth[above] + 1 for above in parents[name]), default=0)
            self._above[name] = parents[name].union(*(self._above[above] for above in parents[name]))
        self._order = sorted(order, key=lambda name: (depth[name], self._priority(name), name))
        for name, group in self.groups.items():
            for host in group.hosts:
                self._groups_of.setdefault(host, []).append(name)

    def members(self, group: str) -> list[str]:
        """The hosts of a group and of all groups below it, in the file's order; unknown groups have none."""
        if group == ALL:
            return list(self.hosts)
        if group == UNGROUPED:
            return [host for host in self.hosts if self._is_ungrouped(host)]
        below = {name for name, above in self._above.items() if group in above} | {group}
        return [host for host in self.hosts if not below.isdisjoint(self._groups_of[host])]

    def unknown(self, group: str) -> str:
        """What is wrong with the name of a group, "" where it is one."""
        return "" if group in self.groups else f"found {shown(group)}, allowed {self._near(group)}"

    def variables(self, host: str) -> dict[str, Variable]:
        """What is in force for a host."""
        own = self._groups_of[host]
        groups = (UNGROUPED,) if self._is_ungrouped(host) else tuple(name for name in own if name != UNGROUPED)
        if groups not in self._merged:
            self._merged[groups] = self._of_groups(groups)
        return {**self._merged[groups], **self.hosts[host], **self.beside.get(host, {})}

    def _of_groups(self, groups: Iterable[str]) -> dict[str, Variable]:
        wanted = {ALL, *groups}.union(*(self._above[name] for name in groups))
        merged: dict[str, Variable] = {}
        ordered = [self.groups[name] for name in self._order if name in wanted]
        for group in ordered:
            merged |= group.variables
        for group in ordered:
            merged |= group.beside
        return merged

    def _is_ungrouped(self, host: str) -> bool:
        return {ALL, UNGROUPED}.issuperset(self._groups_of[host])

    def _priority(self, group: str) -> int:
        given = self.groups[group].variables.get(PRIORITY)
        if given is None:
            return 1
        try:
            return int(str(given.value))
        except ValueError:
            self.mistakes.append(f"{given.where}: {PRIORITY}: found no number, allowed a whole number")
            return 1

    def _near(self, name: str) -> str:
        return near(name, (one for one, group in self.groups.items() if group.hosts or group.children))


def _harmless(text: str) -> str:
    """A name as it may be shown: a misplaced `ansible_password=…` is cut at its value."""
    return text.partition("=")[0]


__all__ = ["ALL", "PRIORITY", "UNGROUPED", "Inventory", "Variable"]
