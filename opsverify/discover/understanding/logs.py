"""The four kinds of logs."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import dirname

from opsverify.discover.draft import Draft, Entry
from opsverify.discover.seen import HostSeen, Seen
from opsverify.discover.understanding.names import checkout_of, named

_APPLICATION = ("backend.log", "app.log", "application.log", "api.log")


def understand(seen: Seen, draft: Draft) -> None:
    """The logs of every host."""
    for host in seen.hosts:
        services = [entry for entry in draft.of("services") if entry.body["host"] == host.host.name]
        for make in (_application, _access, _auth, _database):
            for holds, body, found, doubt in make(host, services):
                whole = {"host": host.host.name, "holds": holds, **body}
                entry = Entry("logs", named(holds, host, seen), whole, found)
                if doubt:
                    entry.guesses[next(iter(body))] = doubt
                if (path := body.get("path")) and path in host.logs.unreadable:
                    entry.missing.append(f"it could not be read: {_grant(host, path)}")
                draft.add(entry)


Told = Iterator[tuple[str, dict[str, str], str, str]]


def _grant(host: HostSeen, path: str) -> str:
    return f"add this account to the group of {path} (adm), or use sudo"


def _application(host: HostSeen, services: list[Entry]) -> Told:
    for service in services:
        if not service.is_about("role", "backend"):
            continue
        if container := service.body.get("container"):
            yield "application", {"container": container}, f"what {container} prints", ""
        elif unit := service.body.get("unit"):
            known = host.units.named(f"{unit}.service")
            files = known.logs if known else ()
            if files:
                yield "application", {"path": files[0]}, f"where {unit} sends its output", ""
            else:
                yield "application", {"unit": unit}, f"the journal of {unit}: it sends its output to no file", ""
        elif pid_file := service.body.get("pid_file"):
            checkout = checkout_of(dirname(str(pid_file)), host)
            logs = checkout.named(*_APPLICATION) if checkout else []
            held = [log for log in logs if log in host.logs.open]
            if logs:
                doubt = "" if held else "by its name only"
                yield "application", {"path": (held or logs)[0]}, "a log in the checkout", doubt


def _access(host: HostSeen, services: list[Entry]) -> Told:
    logs = [log for log in host.nginx.logs if not host.logs.readable or host.logs.has(log)] or list(host.nginx.logs)
    proxies = [one for one in services if one.is_about("role", "proxy")]
    if host.nginx.sites and logs:
        chosen = _busiest(host, logs)
        doubt = f"nginx also writes {', '.join(log for log in logs if log != chosen)}" if len(logs) > 1 else ""
        yield "access", {"path": chosen}, "nginx's configuration", doubt
    elif container := next((str(one.body["container"]) for one in proxies if "container" in one.body), ""):
        yield "access", {"container": container}, f"what {container} prints", "its configuration was not looked at"
    elif host.logs.has("/var/log/nginx/access.log"):
        yield "access", {"path": "/var/log/nginx/access.log"}, "nginx's usual place", "by its name only"


def _busiest(host: HostSeen, logs: list[str]) -> str:
    """The log of the site that passes most requests on."""
    routes = {log: sum(len(site.routes) for site in host.nginx.sites if log in site.logs) for log in logs}
    return max(logs, key=lambda log: routes[log])


def _auth(host: HostSeen, services: list[Entry]) -> Told:
    for name in ("ssh.service", "sshd.service"):
        unit = host.units.named(name)
        if unit and (unit.active or unit.enabled):
            yield "auth", {"unit": name.removesuffix(".service")}, f"the journal of {name}", ""
            return
    for path in ("/var/log/auth.log", "/var/log/secure"):
        if host.logs.has(path):
            yield "auth", {"path": path}, "syslog's usual place", ""
            return


def _database(host: HostSeen, services: list[Entry]) -> Told:
    for cluster in host.clusters.clusters:
        if cluster.online and cluster.log.startswith("/"):
            yield "database", {"path": cluster.log}, f"cluster {cluster.version}/{cluster.name} (pg_lsclusters)", ""
    if any(one.online for one in host.clusters.clusters):
        return
    for service in services:
        if service.is_about("role", "database"):
            if container := service.body.get("container"):
                yield "database", {"container": str(container)}, f"what {container} prints", ""
            elif unit := service.body.get("unit"):
                doubt = "PostgreSQL may write files of its own instead (log_directory)"
                yield "database", {"unit": str(unit)}, f"the journal of {unit}", doubt
            return


__all__ = ["understand"]
