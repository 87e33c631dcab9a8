"""Read the suite's YAML files and list every mistake in them at once, before anything is contacted.

A value may take `${VAR}`, `${VAR:-default}` or `${file:/path}`; `$$` is a literal dollar sign. What comes in this way
can be a secret; a literal password in a file is a mistake.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from opsverify.config.child_environment import withhold
from opsverify.config.cross_checks import cross_checks
from opsverify.config.environment import KINDS, Environment
from opsverify.config.items import Item
from opsverify.config.literal_secrets import literal_secrets, secrets_of
from opsverify.config.mistakes import mistake, shown
from opsverify.config.substitution import fill
from opsverify.config.yaml_file import read_yaml
from opsverify.errors import ConfigurationError

if TYPE_CHECKING:
    from opsverify.config.host_groups import Groups


@dataclass(frozen=True)
class Loaded:
    """An environment with its items as it overrides them, and the secret values that must never be shown."""

    environment: Environment
    items: dict[str, Item]
    secrets: frozenset[str]
    path: Path


def load_items(path: Path) -> dict[str, Item]:
    """The runbook's items by id from `checks/runbook.yaml`; raises ConfigurationError with every mistake."""
    raw = read_yaml(path)
    if not isinstance(raw, dict):
        raise ConfigurationError([f"{path}: found {shown(raw)}, allowed a mapping from item id to its description"])
    items: dict[str, Item] = {}
    mistakes: list[str] = []
    for key, body in raw.items():
        try:
            items[str(key)] = Item.model_validate({**body, "id": str(key)} if isinstance(body, dict) else body)
        except ValidationError as error:
            mistakes += [mistake(path, (str(key), *map(str, e["loc"])), e) for e in error.errors()]
    if mistakes:
        raise ConfigurationError(mistakes)
    return items


def laid_over(tree: Mapping[str, Any], *changes: Mapping[str, Any]) -> dict[str, Any]:
    """A tree with some things said differently, mapping by mapping."""
    result = dict(tree)
    for one in changes:
        for key, value in one.items():
            old = result.get(key)
            both = isinstance(old, Mapping) and isinstance(value, Mapping)
            result[key] = laid_over(old, value) if both else value  # type: ignore[arg-type]
    return result


def load_environment(
    path: Path,
    items: Mapping[str, Item],
    variables: Mapping[str, str] | None = None,
    changes: Sequence[Mapping[str, Any]] = (),
) -> Loaded:
    """Read one environment file, with `changes` laid over it.

    `variables` are looked up before the process environment. Raises ConfigurationError with all mistakes of the file:
    unset variables, unknown keys, wrong values, literal secrets, references to targets that do not exist, kinds of
    targets that are neither listed nor declared not applicable, overrides that do not fit their check.
    """
    values = {**os.environ, **(variables or {})}
    raw = read_yaml(path)
    filled = fill(laid_over(raw, *changes) if isinstance(raw, dict) else raw, values)
    mistakes = [f"{path}: {text}" for text in filled.mistakes]
    tree = filled.tree
    if not isinstance(tree, dict):
        raise ConfigurationError([*mistakes, f"{path}: found {shown(tree)}, allowed a mapping; see environments/"])
    broken = {text.split(": found", 1)[0] for text in filled.mistakes}
    named = _named(tree, path.stem)
    environment: Environment | None = None
    try:
        environment = Environment.model_validate(named)
    except ValidationError as error:
        for e in error.errors():
            line = mistake(path, tuple(map(str, e["loc"])), e, filled.written)
            if ".".join(map(str, e["loc"])) not in broken:
                mistakes.append(line)
    groups = _groups(named.get("hosts"), path.parent)
    members = groups.members if groups else {}
    if groups:
        mistakes += [*(f"{path}: {text}" for text in groups.mistakes), *groups.in_files]
    mistakes += [f"{path}: {text}" for text in cross_checks(named, items, members, not groups or groups.complete)]
    mistakes += [f"{path}: {text}" for text in literal_secrets(tree, filled.outside)]
    adjusted = dict(items)
    if environment is not None:
        for key, override in environment.checks.items():
            if key in items:
                try:
                    adjusted[key] = items[key].overridden(override)
                except ValueError as problem:
                    mistakes.append(f"{path}: checks.{key}.{problem}")
    if mistakes or environment is None:
        raise ConfigurationError(list(dict.fromkeys(mistakes)))
    if members:
        from opsverify.config.expansion import expanded

        environment = expanded(environment, members)
    secrets = frozenset(filled.secrets | set(secrets_of(environment)))
    withhold(secrets)
    return Loaded(environment, adjusted, secrets, path)


def one_setting(path: Path, key: str) -> Any:
    """One top-level value of an environment file, None where it stands in none. The rest may be incomplete.

    Raises ConfigurationError when the file is no YAML or the value takes a variable that is not set.
    """
    raw = read_yaml(path)
    filled = fill({key: raw.get(key)} if isinstance(raw, dict) else {}, os.environ)
    if filled.mistakes:
        raise ConfigurationError([f"{path}: {text}" for text in filled.mistakes])
    return (filled.tree or {}).get(key)


def _groups(hosts: Any, folder: Path) -> Groups | None:
    """The groups among the hosts; None, and nothing imported for it, where there can be none."""
    entries = hosts if isinstance(hosts, dict) else {}
    for name, body in entries.items():
        written = body if isinstance(body, dict) else {}
        if "[" in name or {"inventory", "members"} & set(written) or set("[{") & set(str(written.get("connection"))):
            from opsverify.config.host_groups import Groups

            return Groups(entries, folder)
    return None


def _named(tree: dict[str, Any], stem: str) -> dict[str, Any]:
    """Give the environment and each target its name, the one place where names come from."""
    named: dict[str, Any] = {**tree, "name": stem}
    for kind in KINDS:
        targets = tree.get(kind)
        if isinstance(targets, dict):
            named[kind] = {
                name: {**(body or {}), "name": name, "environment": stem} if isinstance(body or {}, dict) else body
                for name, body in targets.items()
            }
    return named
