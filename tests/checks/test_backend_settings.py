"""The checks of the backend's settings turn red where it runs with something else than it should."""

from __future__ import annotations

import re

import pytest

from rehearsal.faults.doing import backend

CHECKS = "checks/test_configuration.py"
SETTINGS = "test_node_env or test_published_secrets or test_cors"
NODE_ENV = "test_node_env[backend-blue]"
PUBLISHED = "test_published_secrets[backend-blue]"
ORIGINS = "test_cors_origins[backend-blue]"
CORS = "test_cors_behaviour[blue]"


def test_careless_settings_are_all_told(whole, verify):
    url = whole.backends["blue"].env["DATABASE_URL"]
    published = re.sub(r":[^:@]*@", ":mycats_dev_password@", url)
    with backend(
        whole,
        NODE_ENV="development",
        CORS_ORIGIN="*",
        JWT_SECRET="production-secret-key-256bit",
        DATABASE_URL=published,
    ):
        ran = verify(CHECKS, "-k", SETTINGS)
    assert ran[NODE_ENV].verdict == "alert"
    assert ran[NODE_ENV].sentence == "observed NODE_ENV=development, expected NODE_ENV=production"
    assert ran[PUBLISHED].verdict == "alert"
    assert "JWT_SECRET in force, backend/.env.example publishes it as JWT_SECRET" in ran[PUBLISHED].sentence
    assert "DATABASE_URL in force, docker-compose.yml publishes it as POSTGRES_PASSWORD" in ran[PUBLISHED].sentence
    assert ran[ORIGINS].verdict == "alert"
    assert "*: lets in addresses that nobody named" in ran[ORIGINS].sentence
    assert ran[CORS].verdict == "alert"
    assert "for https://origin.invalid with Access-Control-Allow-Origin: *" in ran[CORS].sentence
    assert "credentials for *" in ran[CORS].sentence
    reports = "".join(path.read_text() for path in ran.reports.glob("*.*"))
    for value in ("production-secret-key-256bit", "mycats_dev_password"):
        assert value not in ran.output + reports


def test_secret_that_is_not_set_falls_back_to_what_the_checkout_publishes(whole, verify):
    with backend(whole, JWT_SECRET=None, NODE_ENV=None):
        ran = verify(CHECKS, "-k", SETTINGS)
    assert ran[PUBLISHED].verdict == "alert"
    assert "JWT_SECRET is not set, and docker-compose.yml publishes its default" in ran[PUBLISHED].sentence
    assert ran[NODE_ENV].verdict == "alert"
    assert "observed no NODE_ENV in process " in ran[NODE_ENV].sentence


@pytest.mark.parametrize(
    ("origins", "problem"),
    [
        ("http://mycats.example.com", "http://mycats.example.com: is not https"),
        ("https://a.example,https://b.example/", "https://b.example/: never matches what a browser sends"),
        ("https://*.example.com", "https://*.example.com: lets in addresses that nobody named"),
        ("mycats.example.com", "mycats.example.com: is not https"),
    ],
)
def test_origins_that_are_none(whole, verify, origins, problem):
    with backend(whole, CORS_ORIGIN=origins):
        ran = verify(CHECKS, "-k", SETTINGS)
    assert ran[ORIGINS].verdict == "alert"
    assert problem in ran[ORIGINS].sentence
    # The page's own origin is not among them: users would see nothing.
    assert ran[CORS].verdict == "alert"
    assert f"GET 200 for {whole.proxy.url} with no grant, expected {whole.proxy.url} granted" in ran[CORS].sentence


def test_settings_of_a_backend_that_does_not_run(whole, verify):
    env_file = whole.layout.env_file
    moved = env_file.rename(env_file.with_name("elsewhere"))
    whole.backends["blue"].stop()
    try:
        ran = verify(CHECKS, "-k", SETTINGS)
    finally:
        moved.rename(env_file)
        whole.backends["blue"].start()
    assert {ran[name].verdict for name in (NODE_ENV, PUBLISHED, ORIGINS)} == {"blocked"}
    assert ran[CORS].verdict == "blocked"


def test_examples_count_as_committed_and_not_as_edited_here(whole, verify):
    compose = whole.layout.checkout / "docker-compose.yml"
    before = compose.read_text()
    real = whole.backends["blue"].env["JWT_SECRET"]
    compose.write_text(before.replace("mycats_dev_password", real))
    try:
        assert verify(CHECKS, "-k", "test_published")[PUBLISHED].verdict == "normal"
    finally:
        compose.write_text(before)


def test_versions_past_their_support(verify, changed):
    settings = {"nodejs": {"20": "2020-01-01", "22": "2020-01-01"}, "postgresql": {"1": "2099-01-01"}}
    file = changed(
        {
            "checks": {"supported-versions": {"band": {"above": 90, "alert_below": 0}, "settings": settings}},
            "not_applicable": {"supported-versions:hosts": None},
        }
    )
    ran = verify(CHECKS, "-k", "test_supported", environment=file)
    node, postgres = ran["test_supported_node[backend-blue]"], ran["test_supported_postgres[primary]"]
    assert node.verdict == "alert"
    assert "supported until 2020-01-01" in node.sentence
    assert postgres.verdict == "undetermined"
    assert "is not among the settings of supported-versions" in postgres.sentence


@pytest.mark.parametrize(("days", "verdict"), [(89, "warning"), (91, "normal"), (-1, "alert")])
def test_end_of_support_that_comes_near(verify, changed, days, verdict):
    from datetime import UTC, datetime, timedelta

    end = f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}"
    limits = {"band": {"above": 90, "alert_below": 0}, "settings": {"nodejs": {"20": end, "22": end}}}
    file = changed({"checks": {"supported-versions": limits}})
    assert verify(CHECKS, "-k", "test_supported_node", environment=file)[
        "test_supported_node[backend-blue]"
    ].verdict == (verdict)
