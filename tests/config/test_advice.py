"""What to do about a failure names what this environment has, and nothing that it has not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from opsverify.config.advice import advice, unknown_fields
from opsverify.config.environment import KINDS, Environment
from opsverify.config.items import Item
from opsverify.config.loading import load_items

ROOT = Path(__file__).parents[2]
ITEMS = load_items(ROOT / "checks" / "runbook.yaml")

ELSEWHERE = Environment.model_validate(
    {
        "name": "elsewhere",
        "apis": {"main": {"url": "http://10.0.0.7:8080", "name": "main"}},
        "hosts": {
            "web": {"connection": "ssh://ops@web1:2222", "ssh_config": "/etc/ops/ssh_config", "name": "web"},
            "here": {"connection": "local://", "name": "here"},
            "box": {"connection": "docker://box", "name": "box"},
        },
        "services": {
            "api": {"host": "web", "role": "backend", "unit": "cats-api", "port": 8080, "name": "api"},
            "site": {"host": "here", "role": "frontend", "pid_file": "/run/site.pid", "name": "site"},
        },
        "logs": {
            "app": {"host": "web", "holds": "application", "path": "/srv/it's/app.log", "name": "app"},
            "edge": {"host": "here", "holds": "access", "path": "/var/log/edge.log", "name": "edge"},
        },
        "releases": {"main": {"host": "web", "path": "/opt/cats", "database": "d", "name": "main"}},
    }
)


def rendered(item: str, kind: str, name: str, language: str = "en") -> str:
    target = getattr(ELSEWHERE, kind)[name]
    return advice(ITEMS[item].action.in_language(language), ELSEWHERE, target, language)


@pytest.mark.parametrize(
    ("item", "kind", "name", "expected"),
    [
        ("api-health", "apis", "main", "`ssh -F /etc/ops/ssh_config -p 2222 ops@web1 systemctl status cats-api`"),
        ("api-health", "apis", "main", "then run `ssh -F /etc/ops/ssh_config -p 2222 ops@web1 systemctl restart cats-api`"),
        (
            "api-health",
            "apis",
            "main",
            "ops@web1 'journalctl -u cats-api --since '\"'\"'1 hour ago'\"'\"''`",
        ),
        ("api-smoke", "apis", "main", "`curl -fsS http://10.0.0.7:8080/api/v1/pedigrees`"),
        ("cpu-usage", "hosts", "here", "`top -o %CPU`: for postgres"),
        ("cpu-usage", "hosts", "here", "the traffic in /var/log/edge.log."),
        ("cpu-usage", "hosts", "box", "`docker exec box sh -c 'top -o %CPU'`"),
        ("release-clean", "releases", "main", "ops@web1 git -C /opt/cats status`"),
        ("service-active", "services", "site", "remove the cause, then restart the service;"),
    ],
)  # fmt: skip
def test_commands_are_those_of_the_target(item: str, kind: str, name: str, expected: str) -> None:
    assert expected in rendered(item, kind, name)


def test_japanese_reads_as_operators_write() -> None:
    assert "systemctl restart cats-api` を実行する（手順書" in rendered("api-health", "apis", "main", "ja")
    assert "サービスを再起動する。" in rendered("service-active", "services", "site", "ja")


@pytest.mark.parametrize("item", ITEMS.values(), ids=lambda item: item.id)
def test_no_action_names_what_the_environment_has_not(item: Item) -> None:
    targets: list[Any] = [None, *(t for kind in KINDS for t in getattr(ELSEWHERE, kind).values())]
    for language in ("en", "ja"):
        assert not unknown_fields(item.action.in_language(language))
        for target in targets:
            text = advice(item.action.in_language(language), ELSEWHERE, target, language)
            assert not re.search(
                r"mycats-|localhost:\d|:300[04]|/var/log/nginx|backend/backend\.log|@`|\{(?!print )[a-z]", text
            ), text
