"""What only the whole of an environment file can tell of its section `notify`: names that must exist elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from opsverify.config.items import Item
from opsverify.config.mistakes import near, shown
from opsverify.config.notification import is_pattern


def notification_checks(section: Any, items: Mapping[str, Item], names: Collection[str] | None) -> Iterator[str]:
    """Mistakes, each a line, in the raw section. `names` are those of all targets; None where they are not known."""
    notify = section if isinstance(section, dict) else {}
    channels = notify.get("channels")
    known = [str(name) for name in channels] if isinstance(channels, dict) else []
    for check in _mapping(notify.get("after")):
        if check not in items:
            yield f"notify.after.{check}: found an unknown check, allowed {near(str(check), items)}"
    for key in ("routes", "maintenance"):
        for index, body in enumerate(_list(notify.get(key))):
            where = f"notify.{key}.{index}"
            entry = _mapping(body)
            yield from _unknown(f"{where}.channels", _list(entry.get("channels")), known)
            yield from _unknown(f"{where}.checks", _list(entry.get("checks")), items)
            if names is not None:
                plain = [one for one in _list(entry.get("targets")) if not is_pattern(str(one))]
                yield from _unknown(f"{where}.targets", plain, names)


def _unknown(where: str, found: list[Any], known: Collection[str]) -> Iterator[str]:
    for one in found:
        if isinstance(one, str) and one not in known:
            yield f"{where}: found {shown(one)}, allowed {near(one, known)}"


def _mapping(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


__all__ = ["notification_checks"]
