"""The environment file that verifies test hosts as it would servers: over ssh, https and PostgreSQL's own TLS."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from rehearsal.machines.host import TestHost
from rehearsal.parts.postgres import DATABASE, MONITOR

EXCUSES = {
    "traffic-slot": "test hosts have no slots",
    "idle-slot-ready": "test hosts have no slots",
    "retired-slot-stopped": "test hosts have no slots",
    "dependency-audit": "test hosts reach no registry",
}
CHECKS: dict[str, Any] = {
    # Processors and memory are those of the machine that the hosts run on, which is busy running them.
    "memory-usage": {"band": {"below": 95, "alert_above": 99}},
    "cpu-usage": {"band": {"below": 98, "alert_above": 100}},
    "process-resources": {"band": {"below": 98, "alert_above": 100}},
    "slow-queries": {"band": {"below": 1000, "alert_above": 5000}},
    # As the release's own runbook has it.
    "disk-usage": {"band": {"below": 97, "alert_above": 99.5}},
    # Each database is new: there is no earlier run of it.
    "data-intact": {"settings": {"without_baseline": "normal"}},
    # The backend's own server is the one that we know by its address.
    "database-url": {"settings": {"also_named": ["127.0.0.1"]}},
    "access-rights": {"settings": {"login_accounts": ["root", "monitor"]}},
}


def write(hosts: Sequence[TestHost], folder: Path, user: str) -> Path:
    """Write `machines.yaml` and the secrets that it refers to into `folder`; return its path."""
    targets: dict[str, dict[str, Any]] = {}
    for host in hosts:
        for kind, named in _targets(host, folder, user).items():
            targets.setdefault(kind, {}).update(named)
    path = folder / "machines.yaml"
    with path.open("w", encoding="utf-8") as file:
        yaml.safe_dump(
            {
                "title": f"Test hosts {', '.join(host.name for host in hosts)}",
                "history": f"sqlite:///{folder / 'history.db'}",
                **targets,
                "not_applicable": EXCUSES,
                "checks": CHECKS,
            },
            file,
            sort_keys=False,
            allow_unicode=True,
        )
    return path


def _targets(host: TestHost, folder: Path, user: str) -> dict[str, dict[str, Any]]:
    """All that there is to verify of one host, by kind and name."""
    name, address = host.name, host.address
    here, ca = {"host": name}, str(host.authority.file)
    password = _secret(folder / f"{name}-monitor", host.secrets.monitor_password)
    login = {
        "username": "staff1@mycats.example",
        "password": _secret(folder / f"{name}-login", host.secrets.login_password),
    }
    dsn = f"postgresql://{MONITOR}:{password}@{address}:5432/{DATABASE}?sslmode=verify-full&sslrootcert={ca}"
    public = {"url": f"https://{address}", "ca_file": ca}
    backend = {"unit": "mycats-backend", "port": 3004, "env_files": ["/etc/mycats/backend.env"]}
    return {
        "apis": {name: {**public, "login": login}},
        "frontends": {name: public},
        "proxies": {name: {**public, "http_url": f"http://{address}"}},
        "databases": {name: {"dsn": dsn}},
        "hosts": {name: {"connection": f"ssh://{user}@{name}", "ssh_config": str(host.ssh_config)}},
        "services": {
            f"backend-{name}": {**here, "role": "backend", **backend},
            f"frontend-{name}": {**here, "role": "frontend", "unit": "mycats-frontend", "port": 3000},
            f"postgresql-{name}": {**here, "role": "database", "unit": "postgresql", "port": 5432},
            f"nginx-{name}": {**here, "role": "proxy", "unit": "nginx", "port": 443},
        },
        "releases": {name: {**here, "path": "/srv/mycats", "database": name}},
        "logs": {
            f"application-{name}": {**here, "holds": "application", "unit": "mycats-backend"},
            f"access-{name}": {**here, "holds": "access", "path": "/var/log/nginx/access.log"},
            f"auth-{name}": {**here, "holds": "auth", "unit": "ssh"},
            f"database-{name}": {
                **here,
                "holds": "database",
                "path": "/var/log/postgresql/postgresql-15-main.log",
            },
        },
        "folders": {
            f"logs-{name}": {**here, "holds": "logs", "path": "/srv/mycats/logs"},
            f"temporary-{name}": {**here, "holds": "temporary files", "path": "/srv/mycats/temp"},
            f"weekly-backups-{name}": {**here, "holds": "weekly backups", "path": "/srv/mycats/backup"},
            f"npm-cache-{name}": {**here, "holds": "npm cache", "path": "/home/.npm"},
            f"next-cache-{name}": {**here, "holds": "next cache", "path": "/srv/mycats/frontend/.next/cache"},
        },
        "jobs": {
            f"health-check-{name}": {
                **here,
                "timer": "mycats-health.timer",
                "log": "/var/log/mycats/health-check.log",
            },
            f"backup-{name}": {**here, "role": "backup", "cron": "backup.sh", "log": "/var/log/mycats/backup.log"},
        },
        "alerts": {name: {**here, "script": "/srv/mycats/scripts/send-alert.sh", "arrives_in": "/var/spool/alerts"}},
        "certificates": {
            f"public-{name}": {"address": address, "ca_file": ca},
            f"database-{name}": {"address": address, "port": 5432, "protocol": "postgres", "ca_file": ca},
        },
        "backups": {name: {**here, "path": "/backup/mycats", "database": name}},
        "documents": {
            f"runbook-{name}": {**here, "holds": "runbook", "location": "/srv/mycats/docs/operations.md"},
            f"operations-log-{name}": {**here, "holds": "operations log", "location": "/srv/mycats/operations.log"},
        },
    }


def _secret(path: Path, value: str) -> str:
    """Keep a secret in a private file; return how an environment file refers to it."""
    path.touch(mode=0o600)
    path.write_text(value)
    return f"${{file:{path}}}"
