"""What runs: units, containers, and processes known by a pid file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import basename, dirname
from typing import Any

from opsverify.discover.draft import Draft, Entry
from opsverify.discover.seen import HostSeen, Seen
from opsverify.discover.understanding.names import (
    checkout_of,
    checkouts_of_the_system,
    named,
    role_of_container,
    role_of_name,
    role_of_program,
    role_of_unit,
    roles_within,
)
from opsverify.probes.host.surroundings.containers import Container
from opsverify.probes.host.surroundings.processes import Process
from opsverify.probes.host.surroundings.units import Unit

_USUAL_PORTS = {"backend": 3004, "frontend": 3000}


def understand(seen: Seen, draft: Draft) -> None:
    """The services of every host."""
    for host in seen.hosts:
        for unit in _units(host):
            roles = roles_within(unit, host)
            for role in roles if len(roles) > 1 else ("",):
                draft.add(_of_unit(unit, host, seen, role, roles.get(role)))
        for container in host.containers.containers:
            role, _ = role_of_container(container)
            if role != "other" or container.running:
                draft.add(_of_container(container, host, seen))
        for process in _loose(host):
            entry = _of_process(process, host, seen)
            if entry is not None:
                draft.add(entry)
        known = {entry.body["role"] for entry in draft.of("services") if entry.body["host"] == host.host.name}
        for entry in _composed(host, seen):
            if entry.body["role"] not in known:
                draft.add(entry)


def several_backends(draft: Draft) -> None:
    """Slots are an agreement of people: nothing on a host says that it is one."""
    backends = [entry.name for entry in draft.of("services") if entry.is_about("role", "backend") and not entry.unread]
    if len(backends) > 1:
        names = ", ".join(backends)
        draft.notices.append(f"{names} are backends: where they are slots (blue, green), add slot to each entry, "
                             "and active_slot at the top")  # fmt: skip


def _units(host: HostSeen) -> Iterator[Unit]:
    """The administrator's own that are meant to run, and the database's and the proxy's."""
    services = [unit for unit in host.units.units if unit.name.endswith(".service")]
    started = {unit.starts for unit in host.units.units if unit.name.endswith(".timer")}
    wrapped = any(unit.name == "postgresql.service" for unit in services)
    for unit in sorted(services, key=lambda unit: unit.name):
        role, _ = role_of_unit(unit, host)
        if not (unit.active or unit.enabled or unit.failed) or unit.name in started or unit.name.startswith("snap."):
            continue
        if role == "database" and wrapped and unit.name != "postgresql.service":
            continue  # an instance of that one, which is judged with it
        if role in ("database", "proxy") or (unit.own and unit.type != "oneshot"):
            yield unit


def _of_unit(unit: Unit, host: HostSeen, seen: Seen, one_role: str, pids: set[int] | None) -> Entry:
    """The entry of a unit; of `one_role` and its processes only where it runs several."""
    base = unit.name.removesuffix(".service")
    role, doubt = (one_role, "") if one_role else role_of_unit(unit, host)
    body = {"host": host.host.name, "role": role, "unit": base}
    name = role if role in ("backend", "frontend") else base
    state = "active" if unit.active else "NOT RUNNING NOW (failed)" if unit.failed else "NOT RUNNING NOW"
    runs = f", runs {' '.join(unit.words)}" if unit.words else ""
    where = f" in {unit.folder}" if unit.folder else ""
    entry = Entry("services", named(name, host, seen), body, f"unit {unit.name}, {state}{runs}{where}")
    if doubt:
        entry.guesses["role"] = doubt
    if not unit.enabled:
        entry.missing.append(f"it does not start at boot: systemctl enable {base}")
    _set_port(entry, role, _ports(unit, role, host, pids), host)
    if role in ("backend", "frontend") and unit.folder:
        _set_env_files(entry, unit.folder, host)
        for file in unit.env_files:
            entry.found += f"; variables of {file} come through the unit"
    return entry


def _ports(unit: Unit, role: str, host: HostSeen, pids: set[int] | None) -> tuple[tuple[int, ...], str]:
    """(ports, why they are only a guess)."""
    if role == "database" and (ports := tuple(one.port for one in host.clusters.clusters if one.online)):
        return ports, ""
    if pids:
        own = sorted({s.port for s in host.processes.sockets if pids & set(s.owner_pids)})
        if own:
            return tuple(own), ""
    seen = host.processes.ports_of(unit.name)
    if role == "database" and not seen:
        seen = tuple(p for one in host.units.units if one.name.startswith("postgresql@")
                     for p in host.processes.ports_of(one.name))  # fmt: skip
    if seen:
        return seen, ""
    listening = {socket.port for socket in host.processes.sockets}
    if role == "proxy":
        own = [port for site in host.nginx.sites for port in (*site.tls_ports, *site.ports) if port in listening]
        return tuple(dict.fromkeys(own or sorted(listening & {80, 443}, reverse=True))), "nginx's configuration says so"
    routed = tuple(port for port in _routed(role, host) if port in listening)
    if routed:
        return routed, "nginx sends requests there, and this account cannot see whose the port is"
    usual = _USUAL_PORTS.get(role)
    if usual in listening:
        return (usual,), "something listens there, and this account cannot see whose the port is"
    return (), ""


def _routed(role: str, host: HostSeen) -> Iterator[int]:
    """The ports of this machine that nginx passes requests on to which are a role's."""
    for site in host.nginx.sites:
        for location, place in site.routes:
            name, _, port = place.rpartition(":")
            is_api = "api" in location or "health" in location
            local = name in ("localhost", "127.0.0.1", "[::1]", host.host.name)
            if local and port.isascii() and port.isdigit() and (role == "backend") == is_api and len(port) < 6:
                yield int(port)


def _set_port(entry: Entry, role: str, known: tuple[tuple[int, ...], str], host: HostSeen) -> None:
    ports, doubt = known
    if not ports:
        if role in ("backend", "frontend", "database"):
            entry.missing.append(f"port: the TCP port it must listen on, as port: {_USUAL_PORTS.get(role, 5432)}")
        return
    routed = [port for port in _routed(role, host) if port in ports]
    entry.body["port"] = routed[0] if routed else 443 if role == "proxy" and 443 in ports else ports[0]
    others = [str(port) for port in ports if port != entry.body["port"]]
    if doubt:
        entry.guesses["port"] = doubt
    elif others:
        entry.guesses["port"] = f"it also listens on {', '.join(others[:5])}"


def _set_env_files(entry: Entry, folder: str, host: HostSeen) -> None:
    checkout = checkout_of(folder, host)
    files = dict(checkout.variables) if checkout else {}
    ours = [file for file in files if file.rpartition("/")[0] == folder and basename(file) in _READ]
    unread = [file for file in (checkout.unread if checkout else ()) if file.rpartition("/")[0] == folder]
    listed = sorted(
        [*ours, *(file for file in unread if basename(file) in _READ)], key=lambda f: _READ.index(basename(f))
    )
    if entry.is_about("role", "backend") and listed:
        entry.body["env_files"] = listed
        names = [name for file in ours for name in files[file]]
        if names:
            entry.found += f"; its dotenv files name {', '.join(sorted(dict.fromkeys(names))[:12])}"
        for file in unread:
            entry.missing.append(f"what {file} sets: it could not be read; let its group read it")


_READ = (".env.production.local", ".env.local", ".env.production", ".env")
"""Which files dotenv's users read in production, the first wins."""


def _of_container(container: Container, host: HostSeen, seen: Seen) -> Entry:
    role, doubt = role_of_container(container)
    state = "running" if container.running else "NOT RUNNING NOW"
    restart = container.restart or "no"
    body = {"host": host.host.name, "role": role, "container": container.name}
    if len(host.containers.engines) > 1:
        body["engine"] = container.engine
    found = f"container of {container.engine}, {state}, image {container.image}, restart {restart}"
    name = role if role in ("backend", "frontend") else container.service or container.name
    entry = Entry("services", named(name, host, seen), body, found)
    if doubt:
        entry.guesses["role"] = doubt
    inner = [inside for _, inside in container.published] or list(container.ports)
    _set_port(entry, role, (tuple(inner), "" if container.published else "the image exposes it"), host)
    return entry


def _composed(host: HostSeen, seen: Seen) -> Iterator[Entry]:
    """What compose files name, where the engine did not say whether it runs."""
    if not host.containers.hidden:
        return
    for service in (service for one in checkouts_of_the_system(host) for service in one.composed):
        image = basename(service.image.partition("@")[0]).partition(":")[0]
        role = next((r for word in (image, service.name) if (r := role_of_name(word))), "")
        if role:
            project = basename(dirname(service.file))
            container = service.container or f"{project}-{service.name}-1"
            body: dict[str, Any] = {"host": host.host.name, "role": role, "container": container}
            inner = [port.rpartition(":")[2].partition("/")[0] for port in service.ports]
            if inner and inner[0].isascii() and inner[0].isdigit() and len(inner[0]) < 6:
                body["port"] = int(inner[0])
            why = f"{'; '.join(host.containers.hidden)} on {host.host.name}; {service.file} names it"
            yield Entry("services", named(role, host, seen), body, unread=why)


def _loose(host: HostSeen) -> Iterator[Process]:
    """Processes of the application, of the database or of a proxy that no unit and no container has."""
    held = {pid for socket in host.processes.sockets for pid in socket.owner_pids}
    for process in host.processes.processes:
        file = _pid_file(process, host)
        if process.container or process.unit or process.pid not in held:
            continue
        if _role(process, host) or (file and not file.startswith(("/run/", "/var/run/"))):
            yield process


def _role(process: Process, host: HostSeen) -> str:
    by_name = {"nginx": "proxy", "postgres": "database", "postmaster": "database"}
    return by_name.get(process.name) or role_of_program(process.words, process.name, process.folder, host)


def _pid_file(process: Process, host: HostSeen) -> str:
    """The pid file that holds a process, or the one that it comes from."""
    by_pid = dict(host.processes.pid_files)
    by_pid |= {pid: file for one in host.checkouts.checkouts for pid, file in one.pids}
    return by_pid.get(process.pid) or by_pid.get(process.parent) or ""


def _of_process(process: Process, host: HostSeen, seen: Seen) -> Entry | None:
    held = {pid for socket in host.processes.sockets for pid in socket.owner_pids}
    if any(
        one.pid == process.parent and one.name == process.name and one.pid in held for one in host.processes.processes
    ):
        return None  # a worker of another
    role, file = _role(process, host), _pid_file(process, host)
    ports = tuple(sorted({s.port for s in host.processes.sockets if process.pid in s.owner_pids}))
    body = {"host": host.host.name, "role": role or "other", "pid_file": file}
    found = f"process {process.pid}, {process.name} of {process.user} in {process.folder or 'a folder unknown'}"
    entry = Entry("services", named(role or process.name, host, seen), body, found)
    if not file:
        folder = process.folder or next((one.path for one in checkouts_of_the_system(host)), "/srv/mycats")
        body["pid_file"] = f"{folder.rstrip('/')}/{role or re.sub(r'[^a-z]', '', process.name)}.pid"
        entry.guesses["pid_file"] = "no unit, container or pid file has it: name one, or make one"
    _set_port(entry, role, (ports, ""), host)
    if role == "backend" and process.folder:
        _set_env_files(entry, process.folder, host)
    return entry


__all__ = ["several_backends", "understand"]
