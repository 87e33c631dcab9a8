"""A system of every kind of target, for what can be said of a check without an environment file. It exists nowhere."""

from __future__ import annotations

from typing import Any

from opsverify.config.environment import KINDS, Environment

NAME = "example"

_TARGETS: dict[str, dict[str, dict[str, Any]]] = {
    "apis": {"main": {"url": "http://app1.example.com:3004"}},
    "frontends": {"main": {"url": "https://mycats.example.com"}},
    "proxies": {"public": {"url": "https://mycats.example.com", "http_url": "http://mycats.example.com"}},
    "databases": {"primary": {"dsn": "postgresql://mycats_monitor@db.example.com/mycats"}},
    "hosts": {"app1": {"connection": "ssh://monitor@app1.example.com"}},
    "services": {
        "backend": {"role": "backend", "unit": "mycats-backend", "env_files": ["/srv/mycats/backend/.env"]},
        "frontend": {"role": "frontend", "unit": "mycats-frontend"},
        "postgresql": {"role": "database", "unit": "postgresql", "port": 5432},
        "cache": {"container": "mycats-cache-1"},
    },
    "releases": {"main": {"path": "/srv/mycats", "database": "primary"}},
    "logs": {
        "application": {"holds": "application", "path": "/srv/mycats/backend/backend.log"},
        "access": {"holds": "access", "path": "/var/log/nginx/access.log"},
        "auth": {"holds": "auth", "unit": "ssh"},
        "database": {"holds": "database", "path": "/var/log/postgresql/postgresql-15-main.log"},
    },
    "folders": {
        "logs": {"holds": "logs", "path": "/srv/mycats/logs"},
        "temporary": {"holds": "temporary files", "path": "/srv/mycats/temp"},
        "weekly-backups": {"holds": "weekly backups", "path": "/srv/mycats/backup"},
        "npm-cache": {"holds": "npm cache", "path": "/home/mycats/.npm"},
        "next-cache": {"holds": "next cache", "path": "/srv/mycats/frontend/.next/cache"},
    },
    "jobs": {
        "health-check": {
            "timer": "mycats-health.timer",
            "cron": "health-check.sh",
            "log": "/var/log/mycats/health.log",
        },
        "backup": {"role": "backup", "timer": "mycats-backup.timer", "cron": "backup.sh", "log": "/var/log/backup.log"},
    },
    "alerts": {"main": {"script": "/srv/mycats/scripts/send-alert.sh"}},
    "certificates": {"public": {"address": "mycats.example.com"}},
    "backups": {"main": {"path": "/backup/mycats", "database": "primary"}},
    "documents": {
        "runbook": {"holds": "runbook", "host": "app1", "location": "/srv/mycats/docs/operations.md"},
        "operations-log": {"holds": "operations log", "host": "app1", "location": "/srv/mycats/operations.log"},
    },
    "names": {"public": {"domain": "mycats.example.com"}},
}


def environment() -> Environment:
    """The environment itself; each of its targets on a host is on `app1`."""
    tree: dict[str, Any] = {"name": NAME}
    for kind, targets in _TARGETS.items():
        on_host = {"host": "app1"} if "host" in KINDS[kind].model_fields else {}
        tree[kind] = {name: {**on_host, **body, "name": name, "environment": NAME} for name, body in targets.items()}
    return Environment.model_validate(tree)
