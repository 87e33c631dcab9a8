"""How entries are called, and what a host's programs are for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from posixpath import basename

from opsverify.discover.seen import HostSeen, Seen
from opsverify.probes.host.surroundings.checkouts import Checkout
from opsverify.probes.host.surroundings.containers import Container
from opsverify.probes.host.surroundings.processes import Process
from opsverify.probes.host.surroundings.units import Unit


def named(base: str, host: HostSeen, seen: Seen) -> str:
    """The name of what lies on a host: with the host's, where there are several."""
    clean = re.sub(r"[^A-Za-z0-9_.@-]+", "-", base).strip("-.@_") or "unnamed"
    return clean[:58] if len(seen.hosts) < 2 else f"{clean[:30]}-{host.host.name[:28]}"


def role_of_program(words: Iterable[str], name: str = "", folder: str = "", host: HostSeen | None = None) -> str:
    """backend, frontend or proxy, by what a program runs; "" where that does not tell."""
    told = list(words)
    files = [basename(word) for word in told]
    if name.startswith("next") or "next" in files or ".next/standalone" in f"{folder} {' '.join(told)}":
        return "frontend"
    runs_node = "node" in name or bool({"node", "pnpm", "npm", "yarn"} & set(files)) or name == "MainThread"
    if not runs_node:
        return ""
    uses = _used_in(folder, host) if folder and host else set()
    if "@nestjs/core" in uses or any(re.search(r"dist/(src/)?main(\.js)?$", word) for word in told):
        return "backend"
    if "next" in uses:
        return "frontend"
    return "backend" if {"prisma", "@prisma/client"} & uses else ""


def _used_in(folder: str, host: HostSeen) -> set[str]:
    """The packages that the package.json in a folder names."""
    return {
        package for one in host.checkouts.checkouts for package, file in one.uses if file == f"{folder}/package.json"
    }


def role_of_name(name: str) -> str:
    """The role that a name hints at: mycats-api is a backend's."""
    words = set(re.split(r"[^a-z]+", name.lower()))
    hints = {
        "backend": {"backend", "api", "server", "nest", "nestjs"},
        "frontend": {"frontend", "front", "web", "next", "nextjs", "ui"},
        "database": {"postgres", "postgresql", "db", "database", "pgsql"},
        "proxy": {"nginx", "proxy", "traefik", "caddy", "haproxy", "envoy", "gateway"},
    }
    return next((role for role, known in hints.items() if known & words), "")


def roles_within(unit: Unit, host: HostSeen) -> dict[str, set[int]]:
    """The processes of a unit by role, as a process manager such as pm2 has several of."""
    roles: dict[str, set[int]] = {}
    for one in host.processes.processes:
        if one.unit == unit.name and (role := role_of_program(one.words, one.name, one.folder or unit.folder, host)):
            roles.setdefault(role, set()).add(one.pid)
    return roles


def role_of_unit(unit: Unit, host: HostSeen) -> tuple[str, str]:
    """(role, why it is only a guess) of a unit."""
    base = unit.name.removesuffix(".service")
    if re.fullmatch(r"nginx|openresty|haproxy|caddy|traefik|apache2|httpd|envoy", base):
        return "proxy", ""
    if re.match(r"postgresql(?![a-z])", base):
        return "database", ""
    running = [one for one in host.processes.processes if one.unit == unit.name]
    roles = [role_of_program(unit.words, "", unit.folder, host)]
    roles += [role_of_program(one.words, one.name, one.folder or unit.folder, host) for one in running]
    if role := next(filter(None, roles), ""):
        return role, ""
    role = role_of_name(base)
    return (role, "by its name only") if role in ("backend", "frontend") else ("other", "")


def role_of_container(container: Container) -> tuple[str, str]:
    """(role, why it is only a guess) of a container."""
    image = basename(container.image.partition("@")[0]).partition(":")[0]
    for role in ("database", "proxy"):
        if role_of_name(image) == role:
            return role, ""
    role = role_of_name(container.service or container.name) or role_of_name(image)
    return (role, "by its name only") if role else ("other", "")


def checkout_of(folder: str, host: HostSeen) -> Checkout | None:
    """The checkout that a folder is in."""
    found = [
        one
        for one in host.checkouts.checkouts
        if any(folder == path or folder.startswith(f"{path}/") for path in (one.path, one.real) if path)
    ]
    return max(found, key=lambda one: len(one.path), default=None)


def checkouts_of_the_system(host: HostSeen) -> list[Checkout]:
    """The checkouts that look like My Cats: with a Prisma schema, or with a backend or front end that runs from it."""
    run = {one.path for process in host.processes.processes if _is_application(process, host)
           if (one := checkout_of(process.folder, host))}  # fmt: skip
    run |= {one.path for unit in host.units.units if unit.own and role_of_unit(unit, host)[0] in ("backend", "frontend")
            if (one := checkout_of(unit.folder, host))}  # fmt: skip
    return [one for one in host.checkouts.checkouts if one.path in run or one.named("schema.prisma")]


def _is_application(process: Process, host: HostSeen) -> bool:
    return bool(process.folder) and role_of_program(process.words, process.name, process.folder, host) != ""


__all__ = [
    "checkout_of",
    "checkouts_of_the_system",
    "named",
    "role_of_container",
    "role_of_name",
    "role_of_program",
    "role_of_unit",
    "roles_within",
]
