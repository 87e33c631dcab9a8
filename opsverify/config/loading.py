"""Read the suite's YAML files and list every mistake in them at once, before anything is contacted.

A value may take `${VAR}`, `${VAR:-default}` or `${file:/path}`; `$$` is a literal dollar sign. What comes in this way
can be a secret; a literal password in a file is a mistake.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from opsverify.config.child_environment import withhold
from opsverify.config.cross_checks import cross_checks
from opsverify.config.environment import KINDS, BandOverride, CheckOverride, Environment
from opsverify.config.items import Item
from opsverify.config.literal_secrets import literal_secrets, secrets_of
from opsverify.config.mistakes import in_order, mistake, shown
from opsverify.config.salvage import salvage
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
    reading = read_environment(path, items, variables, changes)
    if reading.mistakes or reading.rest is None:
        raise ConfigurationError(reading.mistakes)
    withhold(reading.rest.secrets)
    return reading.rest


@dataclass(frozen=True)
class Reading:
    """An environment file as it was read: its mistakes, and what is left of it without them."""

    mistakes: list[str]
    rest: Loaded | None
    """The whole where there is no mistake; None where nothing is left that could be looked at."""
    incomplete: frozenset[str] = frozenset()
    """The kinds of targets of which something is left out."""
    tree: Any = None
    """What stands in the file, for the order of its keys."""


def read_environment(
    path: Path,
    items: Mapping[str, Item],
    variables: Mapping[str, str] | None = None,
    changes: Sequence[Mapping[str, Any]] = (),
) -> Reading:
    """As `load_environment`, for whoever wants all that is known of a file with mistakes; raises where it is none."""
    values = {**os.environ, **(variables or {})}
    raw = read_yaml(path)
    filled = fill(laid_over(raw, *changes) if isinstance(raw, dict) else raw, values)
    mistakes = [f"{path}: {text}" for text in filled.mistakes]
    tree = filled.tree
    if not isinstance(tree, dict):
        return Reading([*mistakes, f"{path}: found {shown(tree)}, allowed a mapping; see environments/"], None)
    broken = {text.split(": found", 1)[0] for text in filled.mistakes}
    named = _named(tree, path.stem)
    salvaged = salvage(named)
    for error in salvaged.errors:
        line = mistake(path, tuple(map(str, error["loc"])), error, filled.written)
        if ".".join(map(str, error["loc"])) not in broken:
            mistakes.append(line)
    groups = _groups(named.get("hosts"), path.parent)
    members = groups.members if groups else {}
    if groups:
        mistakes += [*(f"{path}: {text}" for text in groups.mistakes), *groups.in_files]
    mistakes += [f"{path}: {text}" for text in cross_checks(named, items, members, not groups or groups.complete)]
    mistakes += [f"{path}: {text}" for text in literal_secrets(tree, filled.outside)]
    environment, adjusted = salvaged.environment, dict(items)
    if environment is None:
        return Reading(in_order(mistakes, path, raw), None)
    for key, override in environment.checks.items():
        if key in items:
            try:
                adjusted[key] = items[key].overridden(override)
            except ValueError:
                mistakes += [f"{path}: checks.{key}.{problem}" for problem in _misfits(items[key], override)]
    if members and not mistakes:
        from opsverify.config.expansion import expanded

        environment = expanded(environment, members)
    secrets = frozenset(filled.secrets | set(secrets_of(environment)))
    rest = Loaded(environment, adjusted, secrets, path)
    return Reading(in_order(mistakes, path, raw), rest, salvaged.incomplete, raw)


def _misfits(item: Item, override: CheckOverride) -> Iterator[str]:
    """Everything in an override that does not fit its check, where `Item.overridden` names the first."""
    pieces = [CheckOverride(settings={key: value}) for key, value in override.settings.items()]
    if override.band is not None:
        limits = override.band.model_dump(exclude_none=True)
        known = [name for name in limits if item.band is None or name in type(item.band).model_fields]
        pieces += [CheckOverride(band=BandOverride(**{name: limits[name]})) for name in limits if name not in known]
        pieces += [CheckOverride(band=BandOverride(**{name: limits[name] for name in known}))] if known else []
    for piece in pieces:
        try:
            item.overridden(piece)
        except ValueError as problem:
            yield str(problem)


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
