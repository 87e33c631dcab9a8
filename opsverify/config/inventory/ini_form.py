"""Inventories in the form of an INI file; a plain list of names, one on each line, is one too.

Source: Ansible documentation, "ansible.builtin.ini": sections are groups, `[name:children]` and `[name:vars]` say more
of one; a host's line is split as a shell would, with `#` comments; values are Python literals where they can be.
No message repeats a line: it may hold a password.
"""

from __future__ import annotations

import ast
import re
import shlex
import warnings

from opsverify.config.inventory.model import Group, Inventory, Variable
from opsverify.config.inventory.variables import KNOWN
from opsverify.config.mistakes import shown

_SECTION = re.compile(r"\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$")
_GROUP = re.compile(r"([^:\]\s]+)\s*(?:#.*)?$")
_NEEDS_SHLEX = re.compile(r"['\"\\#]")


def read_ini(text: str, inventory: Inventory) -> None:
    """Add what the text says to the inventory."""
    group, kind = "ungrouped", "hosts"
    described: set[str] = set()
    variables_of: dict[str, int] = {}
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if not line or line[0] in "#;":
            continue
        section = _SECTION.match(line)
        if section:
            group, kind = section[1], section[2] or "hosts"
            inventory.groups.setdefault(group, Group())
            if kind == "vars":
                variables_of.setdefault(group, number)
            else:
                described.add(group)
            if kind not in ("hosts", "children", "vars"):
                inventory.mistake(number, f"found a section of {shown(kind)}, allowed :children and :vars")
        elif line.startswith("[") and line.endswith("]"):
            inventory.mistake(number, "found a section that is none, allowed [name], [name:children] and [name:vars]")
        elif kind == "hosts":
            _host(line, number, group, inventory)
        elif kind == "children":
            child = _GROUP.match(line)
            if child:
                inventory.groups[group].children.setdefault(child[1], number)
            else:
                inventory.mistake(number, "found no name of a group, allowed one on each line")
        elif kind == "vars":
            _variable(line, number, inventory.groups[group].variables, inventory)
    for name, number in variables_of.items():
        if name not in described and name not in ("all", "ungrouped"):
            inventory.mistake(number, f"found variables of {shown(name)}, which is no group, allowed those of a group")


def _host(line: str, number: int, group: str, inventory: Inventory) -> None:
    try:
        name, *rest = shlex.split(line, comments=True) if _NEEDS_SHLEX.search(line) else line.split()
    except ValueError:
        inventory.mistake(number, "found a quote that does not end, allowed one that does")
        return
    variables: dict[str, Variable] = {}
    for word in rest:
        _variable(word, number, variables, inventory)
    inventory.add_hosts(group, name, number, variables)


def _variable(text: str, number: int, variables: dict[str, Variable], inventory: Inventory) -> None:
    key, equals, value = text.partition("=")
    if not equals:
        inventory.mistake(number, "found a word without =, allowed key=value; a value with blanks in quotes")
    elif key.strip() in KNOWN:
        variables[key.strip()] = Variable(_literal(value.strip()), inventory.where(number))


def _literal(text: str) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


__all__ = ["read_ini"]
