"""Inventories in the form of YAML: groups with `hosts`, `children` and `vars`.

Source: Ansible documentation, "ansible.builtin.yaml". Nodes are walked before they become values: they know their line,
and what `!vault` has encrypted, or no one needs, is never made a value at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from opsverify.config.inventory.model import Group, Inventory, Variable
from opsverify.config.inventory.variables import ENCRYPTED, KNOWN
from opsverify.config.mistakes import near, shown
from opsverify.config.ranges import MOST
from opsverify.config.yaml_file import Nodes

if TYPE_CHECKING:
    import yaml

_KEYS = ("hosts", "children", "vars")


def read_yaml_form(nodes: Nodes, inventory: Inventory) -> None:
    """Add what the document says to the inventory."""
    reading = _Reading(nodes, inventory)
    for name, key, body in reading.pairs(nodes.root, "groups"):
        reading.group(name, key, body)


def variables_in(nodes: Nodes, inventory: Inventory) -> dict[str, Variable]:
    """The variables of a file in group_vars or host_vars."""
    return _Reading(nodes, inventory).variables(nodes.root)


class _Reading:
    def __init__(self, nodes: Nodes, inventory: Inventory) -> None:
        self.nodes, self.inventory = nodes, inventory
        self.groups_seen = 0

    def mistake(self, node: yaml.Node, text: str) -> None:
        self.inventory.mistakes.append(f"{self.where(node)}: {text}")

    def where(self, node: yaml.Node) -> str:
        return f"{self.nodes.path}, line {node.start_mark.line + 1}"

    def pairs(self, node: yaml.Node | None, what: str) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
        """The keys of a mapping, each with its node and its value's; a mapping may be empty."""
        pairs = self.nodes.pairs(node) if node is not None else []
        if pairs is None:
            assert node is not None
            self.mistake(node, f"found no mapping, allowed one of {what}")
            return
        for key, value in pairs:
            if self.nodes.is_text(key):
                yield str(key.value), key, value
            else:
                self.mistake(key, f"found a name that is no text, allowed text (in quotes) as the name of {what}")

    def group(self, name: str, key: yaml.Node, body: yaml.Node) -> None:
        self.groups_seen += 1
        if self.groups_seen > MOST:  # aliases within aliases
            raise RecursionError
        if name == "plugin":
            self.mistake(key, "found the configuration of a plugin, allowed a static inventory: nothing is executed")
            return
        group = self.inventory.groups.setdefault(name, Group())
        for section, section_key, content in self.pairs(body, "hosts, children and vars"):
            if section == "hosts":
                for pattern, host, variables in self.pairs(content, "hosts"):
                    line = host.start_mark.line + 1
                    self.inventory.add_hosts(name, pattern, line, self.variables(variables))
            elif section == "children":
                for child, child_key, child_body in self.pairs(content, "groups"):
                    group.children.setdefault(child, child_key.start_mark.line + 1)
                    self.group(child, child_key, child_body)
            elif section == "vars":
                group.variables |= self.variables(content)
            else:
                self.mistake(section_key, f"found {shown(section)}, allowed {near(section, _KEYS)}")

    def variables(self, node: yaml.Node | None) -> dict[str, Variable]:
        return {
            name: Variable(self._value(value), self.where(value))
            for name, _, value in self.pairs(node, "variables")
            if name in KNOWN
        }

    def _value(self, node: yaml.Node) -> Any:
        return ENCRYPTED if node.tag in ("!vault", "!vault-encrypted") else self.nodes.value(node)


__all__ = ["read_yaml_form", "variables_in"]
