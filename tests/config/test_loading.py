"""Configuration: every mistake at once, each with file, key, what was found and what is allowed; never a secret."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.config.environment import KINDS
from opsverify.config.items import Item
from opsverify.config.loading import load_environment, load_items
from opsverify.config.yaml_file import read_yaml
from opsverify.errors import ConfigurationError
from opsverify.generate import schema

ROOT = Path(__file__).parents[2]
ITEMS = load_items(ROOT / "checks" / "runbook.yaml")

GOOD = """
apis: {blue: {url: "http://app1:3004", token: "${TOKEN}"}}
frontends: {web: {url: "https://mycats.example.com"}}
databases: {primary: {dsn: "postgresql://monitor:${PW}@db/mycats"}}
hosts: {app1: {}}
services: {backend: {host: app1, role: backend, unit: mycats-backend, port: 3004}}
releases: {main: {host: app1, path: /srv/mycats, database: primary}}
certificates: {public: {address: mycats.example.com}}
backups: {main: {host: app1, path: /backup, database: primary}}
not_applicable: {NONE}
"""
VALUES = {"TOKEN": "t0ken-t0ken", "PW": "hunter2hunter2"}


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "somewhere.yaml"
    rest = set(KINDS) - {line.split(":")[0] for line in GOOD.splitlines()}
    excuses = "{" + ", ".join(f"{kind}: not in this test" for kind in sorted(rest)) + "}"
    path.write_text(text.replace("{NONE}", excuses), encoding="utf-8")
    return path


def mistakes(tmp_path: Path, text: str, values: dict[str, str] | None = None) -> list[str]:
    path = write(tmp_path, text)
    with pytest.raises(ConfigurationError) as caught:
        load_environment(path, ITEMS, VALUES if values is None else values)
    prefix = f"{path}: "
    assert all(line.startswith(str(path)) for line in caught.value.mistakes)
    return [line.removeprefix(prefix) for line in caught.value.mistakes]


def test_a_kind_that_is_younger_than_files_in_use_need_not_be_excused(tmp_path: Path) -> None:
    kinds = ", ".join(f"{kind}: not in this test" for kind, model in KINDS.items() if not model.optional)
    path = tmp_path / "old.yaml"
    path.write_text(f"not_applicable: {{{kinds}}}")
    assert load_environment(path, ITEMS).environment.names == {}


def test_where_there_is_no_host_nothing_that_lies_on_one_needs_an_excuse(tmp_path: Path) -> None:
    kinds = ("apis", "frontends", "proxies", "databases", "certificates", "documents")
    path = tmp_path / "managed.yaml"
    path.write_text("not_applicable: {hosts: managed" + "".join(f", {kind}: none here" for kind in kinds) + "}")
    assert load_environment(path, ITEMS).environment.services == {}
    path.write_text("not_applicable: {" + ", ".join(f"{kind}: none here" for kind in kinds) + "}")
    with pytest.raises(ConfigurationError) as caught:
        load_environment(path, ITEMS)
    assert {line.split(": ")[1] for line in caught.value.mistakes} == {
        kind for kind, model in KINDS.items() if kind not in kinds and not model.optional
    }


@pytest.mark.parametrize("path", sorted((ROOT / "environments/examples").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_examples_load(path: Path) -> None:
    variables = dict.fromkeys(re.findall(r"\$\{(\w+)\}", path.read_text()), "pl4nted")
    assert load_environment(path, ITEMS, variables).environment.title
    command = [sys.executable, "-m", "pytest", f"--env={path}", "--collect-only", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_good_file_loads_with_names_and_secrets(tmp_path: Path) -> None:
    loaded = load_environment(write(tmp_path, GOOD), ITEMS, VALUES)
    api = loaded.environment.apis["blue"]
    assert (api.name, api.environment, api.label) == ("blue", "somewhere", "api blue")
    assert api.identity == ("somewhere", "apis", "blue")
    assert set(VALUES.values()) <= loaded.secrets
    assert "hunter2" not in repr(loaded.environment)


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    result = mistakes(
        tmp_path,
        """
        titel: typo
        active_slot: red
        apis: {blue: {url: "ftp://x", slott: 3, token: literal-secret}}
        databases: {p: {dsn: "postgresql://u:literalpw@h/db"}, q: {dsn: "mysql://u:${PW}@h/db"}, r: {dsn: "${UNSET}"}}
        hosts: {a: {connection: "telnet://x", deadline: .inf}, b: {connection: "ssh://u:pw@h"}}
        services: {s: {host: nope, unit: x, port: 99999}}
        checks: {disk-usage: {band: {below: 95}}, api-helth: {}, cpu-usage: {band: {above: 3}}}
        waivers: [{check: api-health, target: zz, owner: ops, reason: known since May, expires: 2026-13-01}]
        not_applicable: {foo: some reason}
        """,
    )
    for key, needle in {
        "titel": "did you mean title",
        "active_slot": "'red'",
        "apis.blue.url": "https://mycats.example.com",
        "apis.blue.slott": "did you mean slot",
        "apis.blue.token": "literal secret",
        "databases.p.dsn": "literal secret",
        "databases.q.dsn": "PostgreSQL URL",
        "databases.r.dsn": "UNSET is not set",
        "hosts.a.connection": "ssh://user@host",
        "hosts.a.deadline": "finite",
        "hosts.b.connection": "without a password",
        "services.s.host": "allowed a, b",
        "services.s.port": "65535",
        "checks.api-helth": "did you mean api-health",
        "waivers.0.expires": "month",
        "waivers.0.target": "'zz'",
        "not_applicable.foo": "unknown name",
        "frontends": "not_applicable.frontends",
        "backups": "not_applicable.backups",
    }.items():
        lines = [line for line in result if line.startswith(f"{key}: ")]
        assert lines and needle in lines[0], f"{key}: {lines or result}"
        assert "found " in lines[0]
        assert "allowed " in lines[0]
    message = "\n".join(result)
    assert not any(secret in message for secret in ("literalpw", "literal-secret", "hunter2"))


@pytest.mark.parametrize(
    ("override", "needle"),
    [
        ("disk-usage: {band: {below: 95}}", "alert_above (90) must not be smaller than below (95)"),
        ("disk-usage: {band: {above: 3}}", "allowed below and alert_above"),
        ("api-health: {band: {below: 3}}", "answers yes or no"),
        ("node-version: {settings: {majors: 3}}", "settings.majors: found 3"),
        ("node-version: {settings: {major: [20]}}", "unknown setting, allowed majors"),
    ],
)
def test_overrides_must_fit_their_check(tmp_path: Path, override: str, needle: str) -> None:
    result = mistakes(tmp_path, GOOD + f"checks: {{{override}}}\n")
    assert len(result) == 1
    assert needle in result[0]


def test_overrides_replace_only_what_they_name(tmp_path: Path) -> None:
    text = GOOD + "checks: {disk-usage: {band: {below: 85}, severity: P1}}\n"
    item: Item = load_environment(write(tmp_path, text), ITEMS, VALUES).items["disk-usage"]
    assert item.band == type(item.band)(below=85, alert_above=90, unit="%")  # type: ignore[misc]
    assert item.severity.value == "P1"


def test_a_kind_is_listed_or_excused_not_both(tmp_path: Path) -> None:
    text = GOOD.replace("not_applicable: {NONE}", "not_applicable: {backups: none here at all}")
    assert any(line.startswith("not_applicable.backups: found a reason, but") for line in mistakes(tmp_path, text))


def test_a_repeated_key_is_a_mistake(tmp_path: Path) -> None:
    path = write(tmp_path, "title: a\ntitle: b\n")
    with pytest.raises(ConfigurationError, match="line 2: found .*duplicate key"):
        read_yaml(path)


@pytest.mark.parametrize("text", ["", "[]", "42", "\x00", "a: [", "a: &x [*x]", "- " * 5000])
def test_what_is_no_environment_is_told_in_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="found"):
        load_environment(path, ITEMS)


def test_variables_files_defaults_and_dollars(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret-from-file\n")
    text = GOOD.replace("${TOKEN}", f"${{file:{secret}}}") + 'title: "${NAME:-cheap} $$5"\n'
    loaded = load_environment(write(tmp_path, text), ITEMS, VALUES)
    token = loaded.environment.apis["blue"].token
    assert token is not None
    assert token.get_secret_value() == "s3cret-from-file"
    assert "s3cret-from-file" in loaded.secrets
    assert loaded.environment.title == "cheap $5"


def test_a_waiver_expires_at_the_end_of_its_day_in_utc(tmp_path: Path) -> None:
    waiver = "waivers: [{check: disk-usage, owner: ops, reason: disk ordered, expires: 2027-01-31}]\n"
    loaded = load_environment(write(tmp_path, GOOD + waiver), ITEMS, VALUES)
    assert loaded.environment.waivers[0].expires.isoformat() == "2027-01-31T23:59:59+00:00"


yaml_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
KEYS = st.sampled_from([*json.loads(schema())["properties"], "name", "x"])


@given(st.dictionaries(KEYS, yaml_values, max_size=6))
def test_any_mapping_loads_or_is_a_configuration_error(tmp_path_factory: pytest.TempPathFactory, tree: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(json.dumps(tree))
    try:
        load_environment(path, ITEMS)
    except ConfigurationError as error:
        assert error.mistakes


@given(st.binary(max_size=60))
def test_any_bytes_load_or_are_a_configuration_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError):
        load_environment(path, ITEMS)


def test_the_schema_in_the_repository_is_current() -> None:
    kept = (ROOT / "environments" / "schema.json").read_text(encoding="utf-8")
    assert kept == schema(), "run: python -m opsverify.generate"


@pytest.mark.parametrize("name", ["development", "staging", "production"])
def test_the_shipped_environments_are_valid(name: str) -> None:
    names = ("LOGIN_PASSWORD", "MONITOR_PASSWORD", "STAGING_LOGIN_PASSWORD", "STAGING_MONITOR_PASSWORD")
    variables = {f"MYCATS_{variable}": "some-long-secret" for variable in names}
    load_environment(ROOT / "environments" / f"{name}.yaml", ITEMS, variables)
