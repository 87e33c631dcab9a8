"""A run that is refused says all that is wrong, and one that would not be is not."""

from __future__ import annotations

import re

from .conftest import Project

WRONG = """\
title: of many mistakes
services:
  web: {host: here, role: proxy, unit: nginx, port: 70000}
  api: {host: there, role: other, unitt: mycats, speed: 1}
hosts: {here: {connection: 'local://'}}
logs: {access: {host: here, holds: access, path: /var/log/nginx/access.log}}
databases: {primary: {dsn: "postgresql://verify:${NO_SUCH_PASSWORD}@db/mycats"}}
releases: {main: {host: here, path: /srv/mycats, database: secondary}}
history: mysql://db/history
checks:
  disk-usage: {band: {below: 95, alert_above: 9}, settings: {one: 1, two: 2}}
  memory-usage: {band: {above: 3, alert_below: 2}}
not_applicable: {proxies: no, apis: not part of this test, jobs: not part of this test}
colour: red
"""
PLACES = (
    "services.web.port",
    "services.api.host",
    "services.api.unitt",
    "services.api.speed",
    "databases.primary.dsn",
    "releases.main.database",
    "history",
    "checks.disk-usage.band",
    "checks.disk-usage.settings.one",
    "checks.disk-usage.settings.two",
    "checks.memory-usage.band.above",
    "checks.memory-usage.band.alert_below",
    "not_applicable.proxies",
    "colour",
    # What stands in the file nowhere.
    "frontends",
    "folders",
    "alerts",
    "certificates",
    "backups",
    "documents",
    # What shows only when checks meet targets.
    "application-log-errors",
    "application-log-alive",
    "unauthorized-access",
    "audit-log",
)


def places(output: str, name: str) -> list[str]:
    return re.findall(rf"{name}\.yaml: ([^:\n]+): ", output)


def test_all_mistakes_of_a_file_are_told_at_once_in_its_order(project: Project) -> None:
    project.environment("wrong", WRONG, excused=False)
    done = project.run("--env", "wrong")
    assert done.code == 4
    assert tuple(places(done.output, "wrong")) == PLACES, done.output
    assert "Traceback" not in done.output
    # Of services, of which some were left out, it is not said what they lack.
    assert "no service of role backend" not in done.output
    # And whoever corrects what is told has corrected all: a second run finds nothing new.
    assert places(project.run("--env", "wrong", "--collect-only").output, "wrong") == list(PLACES)


def test_what_several_environments_and_options_lack_is_one_message(project: Project) -> None:
    project.environment("one", "hosts: {here: {connection: 'telnet://x'}}\ncolour: red\n")
    project.environment(
        "two", "hosts: {here: {connection: 'local://'}}\nservices: {w: {host: here, unit: w, role: proxy}}\n"
    )
    done = project.run("--env", "one", "--env", "two", "--slot", "green")
    assert done.code == 4
    assert places(done.output, "one") == ["hosts.here.connection", "colour"]
    assert places(done.output, "two")[0] == "--slot"
    assert "required-variables" in places(done.output, "two")
    assert done.output.index("one.yaml") < done.output.index("two.yaml")


def test_a_channel_hides_no_target_and_no_target_a_channel(project: Project) -> None:
    text = """
hosts: {here: {connection: 'local://'}}
services: {w: {host: here, unit: w, role: proxy}}
notify: {channels: {team: {apprise: "${CHANNEL}"}}}
"""
    project.environment("here", text)
    done = project.run("--env", "here", CHANNEL="nothing://that-anybody-knows")
    assert done.code == 4
    assert places(done.output, "here")[0] == "notify.channels.team.apprise"
    assert "required-variables" in places(done.output, "here")
    assert "nothing://" not in done.output


def test_a_rule_about_several_keys_is_told_beside_an_unknown_one(project: Project) -> None:
    """`exactly one of unit, pid_file and container` waits behind no other mistake, but for a key that is misspelt."""
    services = "{w: {host: here, role: proxy, colour: red}, v: {host: here, role: proxy, unitt: v}}"
    project.environment("here", f"hosts: {{here: {{}}}}\nservices: {services}\n")
    done = project.run("--env", "here")
    assert "services.w: found" in done.output
    assert "services.w.colour: found an unknown key" in done.output
    assert "services.v.unitt: found an unknown key" in done.output
    assert "services.v: found" not in done.output


def test_a_run_of_a_few_checks_is_refused_for_no_more_than_before(project: Project) -> None:
    """What only checks of other files miss stops no run of one file: what is told more is told where one is refused."""
    text = "hosts: {here: {}}\nlogs: {access: {host: here, holds: access, path: /nowhere/access.log}}\n"
    project.environment("here", text)
    wide = "checks: {memory-usage: {band: {below: 100.5, alert_above: 101}}}\n"
    path = project.folder / "environments" / "here.yaml"
    path.write_text(path.read_text() + wide)
    few = project.run("--env", "here", "checks/test_resources.py", "-k", "memory_usage")
    assert few.code == 0, few.output
    assert project.run("--env", "here", "-k", "memory_usage").code == 4
    path.write_text(path.read_text() + "colour: red\n")
    refused = project.run("--env", "here", "checks/test_resources.py", "-k", "memory_usage")
    assert refused.code == 4
    assert places(refused.output, "here")[0] == "colour"
    assert "application-log-errors" in places(refused.output, "here")


def test_no_mistake_tells_a_secret_or_forges_a_line(project: Project) -> None:
    project.environment(
        "odd",
        """
apis: {main: {url: "https://h", login: "verify:S3cretAA"}}
databases: {primary: "host=h password=S3cretBB"}
notify: "https://hooks.example.com/services/T0/S3cretCC"
documents: {r: {host: a, holds: runbook, location: "https://u:x@h/x?token=S3cretDD"}}
hosts: {"a\\nERROR: fake": {connection: 5}, "e\\e[31mX": {connection: local://}}
""",
    )
    done = project.run("--env", "odd", "--plan")
    assert done.code == 4
    assert "S3cret" not in done.output
    assert "\x1b[31mX" not in done.output
    assert not [line for line in done.output.splitlines() if line.startswith("ERROR: fake")]
    assert "apis.main.login: found a value that does not fit" in done.output
