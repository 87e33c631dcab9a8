"""Groups of hosts: which hosts an entry under `hosts` stands for, and how each is reached.

An entry is a group if there is a range in its name or its connection, or if it names an inventory. A host of a group
is called what a range in the entry's name makes of it, or its name in the inventory, or the host in its connection,
without the domain where that is the same for all.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from opsverify.config.environment import check_connection
from opsverify.config.inventory.model import ALL, Inventory
from opsverify.config.inventory.reading import read_inventory
from opsverify.config.inventory.variables import Unclear, connection
from opsverify.config.mistakes import near, shown
from opsverify.config.ranges import behind_first, expand, has_range

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,59}")
_PLACEHOLDER = re.compile(r"\{.*?\}")


class Groups:
    """The groups of an environment file, and every mistake in them: `hosts.web.group: found …, allowed …`.

    Works on the raw tree, so that mistakes are told even beside others.
    """

    def __init__(self, hosts: Mapping[str, Any], folder: Path) -> None:
        self.members: dict[str, dict[str, str]] = {}
        """By group: the connection to each of its hosts, by the host's name."""
        self.mistakes: list[str] = []
        self.in_files: list[str] = []
        """Mistakes that are the inventories', with file and line."""
        self.complete = True
        """Whether it is known which hosts there are: a group that is a mistake has none."""
        self._folder = folder
        self._inventories: dict[Path, Inventory] = {}
        for name, body in hosts.items():
            if isinstance(body, Mapping):
                self._entry(str(name), body)
        self._once(hosts)

    def _entry(self, name: str, body: Mapping[str, Any]) -> None:
        given, different = body.get("connection"), body.get("members") or {}
        if not isinstance(given, str | None) or not isinstance(different, Mapping):
            self.complete = False  # a mistake that the model tells
            return
        said = {str(one): own.get("connection") for one, own in different.items() if isinstance(own, Mapping)}
        own = {one: written for one, written in said.items() if isinstance(written, str)}
        try:
            if isinstance(body.get("inventory"), str):
                found = self._from_inventory(name, body, given, own)
            elif has_range(name) or has_range(given or ""):
                found = _from_ranges(name, given or "local://")
                found |= {one: own[one].replace("{name}", one) for one in own if one in found}
            else:
                self.mistakes += _of_one_host(name, given or "", bool(different))
                return
        except _Mistake as mistake:
            self.complete = False
            self.mistakes += [f"hosts.{name}{mistake}"] if str(mistake) else []
            return
        self.members[name] = found
        self.mistakes += _wrong_members(name, found, different)

    def _from_inventory(
        self, name: str, body: Mapping[str, Any], given: str | None, own: Mapping[str, str]
    ) -> dict[str, str]:
        if has_range(name) or has_range(given or ""):
            raise _Mistake(": found a range beside an inventory, allowed one of the two")
        inventory = self._inventory(str(body["inventory"]))
        group = body.get("group") if isinstance(body.get("group"), str) else ALL
        unknown = inventory.unknown(str(group))
        hosts = inventory.members(str(group))
        if inventory.mistakes:
            raise _Mistake
        if unknown:
            raise _Mistake(f".group: {unknown}")
        if not hosts:
            raise _Mistake(f".{'group' if 'group' in body else 'inventory'}: found no host in it, allowed at least one")
        if given is not None and len(hosts) > 1 and not {"{name}", "{host}"} & set(_PLACEHOLDER.findall(given)):
            raise _Mistake(f".connection: found {shown(given)} for all of them, allowed {{host}} or {{name}} in it")
        found = {}
        for host in hosts:
            try:
                variables = inventory.variables(host)
                found[host] = connection(host, variables, own.get(host, given), body.get("ssh_config") is not None)
            except Unclear as unclear:
                self.in_files += unclear.mistakes
                found[host] = "local://"  # so that it is known as a host; the mistake stops the run
        return found

    def _inventory(self, written: str) -> Inventory:
        path = self._folder / os.path.expanduser(written)
        if path not in self._inventories:
            self._inventories[path] = read_inventory(path)
            self.in_files += self._inventories[path].mistakes
        return self._inventories[path]

    def _once(self, hosts: Mapping[str, Any]) -> None:
        """A name is that of one host, or of one group."""
        owner: dict[str, str] = {}
        for name, members in self.members.items():
            for other in dict.fromkeys(owner[member] for member in members if member in owner):
                both = [member for member in members if owner.get(member) == other]
                self.mistakes.append(f"hosts.{name}: found {_and_more(both)} also in hosts.{other}, allowed once")
            taken = [member for member in members if member in hosts]
            if taken:
                allowed = "hosts called otherwise than the entries of hosts"
                self.mistakes.append(f"hosts.{name}: found {_and_more(taken)} in it, allowed {allowed}")
            owner |= dict.fromkeys(members, name)


class _Mistake(Exception):
    """What is wrong with an entry, from its key on; nothing, where an inventory's own mistakes say it."""


def _of_one_host(name: str, given: str, has_members: bool) -> Iterator[str]:
    if has_members:
        yield f"hosts.{name}.members: found members of one host, allowed in a group only"
    if placeholder := _PLACEHOLDER.search(given):
        yield f"hosts.{name}.connection: found {placeholder[0]}, allowed in a group only"


def _wrong_members(name: str, found: Mapping[str, str], different: Mapping[str, Any]) -> Iterator[str]:
    for member in different:
        if member not in found:
            allowed = near(str(member), found)
            yield f"hosts.{name}.members.{member}: found no such host in the group, allowed {allowed}"
    wrong = [member for member in found if not _NAME.fullmatch(member)]
    if wrong:
        allowed = "names of 60 letters, digits and . _ - @ at most (an inventory has ansible_host for the rest)"
        yield f"hosts.{name}: found {_and_more(wrong)} in it, allowed {allowed}"
    for address in found.values():
        try:
            if placeholder := _PLACEHOLDER.search(address):
                raise ValueError(f"{{name}}, and with an inventory {{host}}, in the place of {placeholder[0]}")
            check_connection(address)
        except ValueError as problem:
            yield f"hosts.{name}.connection: found {shown(address)}, allowed {problem}"
            return  # the others are alike


def _from_ranges(name: str, given: str) -> dict[str, str]:
    try:
        names, addresses = expand(name), expand(given)
    except ValueError as problem:
        where = "" if not _fits(name) else ".connection"
        raise _Mistake(f"{where}: found {shown(given if where else name)}, allowed {problem}") from None
    if not has_range(name):
        names = [_short(given, address) for address in addresses]
        twice = [one for one, count in Counter(names).items() if count > 1]
        if twice:
            raise _Mistake(f".connection: found {_and_more(twice)} twice, allowed a range in the name of each host")
    elif not has_range(given) and len(names) > 1 and "{name}" not in given:
        raise _Mistake(f".connection: found {shown(given)} for all of them, allowed {{name}} or a range in it")
    elif not has_range(given):
        addresses = [given.replace("{name}", one) for one in names]
    elif len(names) != len(addresses):
        raise _Mistake(f".connection: found {len(addresses)} for {len(names)} hosts, allowed one for each")
    return dict(zip(names, addresses, strict=True))


def _fits(name: str) -> bool:
    try:
        return bool(expand(name))
    except ValueError:
        return False


def _short(pattern: str, address: str) -> str:
    """The host in an address; without its domain, where no range of the pattern stands in that."""
    host = re.split(r"[:/?#]", address.partition("://")[2].rpartition("@")[2])[0]
    label = host.partition(".")[0]
    authority = pattern.partition("://")[2].rpartition("@")[2]
    return host if label.isdecimal() or behind_first(authority, ".") else label


def _and_more(names: Sequence[str]) -> str:
    return shown(names[0].partition("=")[0]) + (f" (and {len(names) - 1} more)" if len(names) > 1 else "")


__all__ = ["Groups"]
