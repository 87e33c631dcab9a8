"""What operators copy from examples/: valid by each system's own schema or linter, and true of this suite."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.pace import HANGS

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
FILES = [path for path in sorted(EXAMPLES.rglob("*")) if path.is_file()]


def tool(name: str) -> str:
    """A linter, of this environment or the system; the test is skipped where there is none."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def passes(*command: str | Path, cwd: Path = EXAMPLES) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=HANGS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["verify.yml", "deploy.yml", "nightly.yml"])
def test_github(name):
    passes(tool("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", f"github/{name}")


def test_gitlab():
    passes(tool("check-jsonschema"), "--builtin-schema", "vendor.gitlab-ci", "gitlab/.gitlab-ci.yml")


def test_kubernetes():
    passes(tool("kubernetes-validate"), "--strict", "kubernetes/cronjob.yaml")


def test_container():
    passes(tool("hadolint"), "--failure-threshold", "info", "container/Containerfile")


def test_systemd(tmp_path):
    # The one complaint that is true here: the program lies on the operator's server.
    units = [str(path) for path in (EXAMPLES / "systemd").iterdir()]
    done = subprocess.run(
        [tool("systemd-analyze"), "verify", *units], capture_output=True, text=True, timeout=HANGS, check=False
    )
    complaints = [line for line in done.stderr.splitlines() if "is not executable: No such file" not in line]
    assert complaints == []


def test_cron(tmp_path):
    # crontab checks a user's own: without the column of accounts.
    text = (EXAMPLES / "cron" / "opsverify").read_text()
    (tmp_path / "tab").write_text(re.sub(r"  opsverify  ", "  ", text))
    assert text.count("  opsverify  ") == 3
    passes(tool("crontab"), "-n", tmp_path / "tab")
    assert "%" not in text  # which cron takes for the end of the line


def scripts() -> list[tuple[str, str]]:
    """(where, shell script) of everything that a shell runs."""
    found = []
    for path in sorted((EXAMPLES / "github").iterdir()):
        for name, job in yaml.safe_load(path.read_text())["jobs"].items():
            found += [(f"{path.name} {name}", step["run"]) for step in job.get("steps", ()) if "run" in step]
    for name, job in yaml.safe_load((EXAMPLES / "gitlab" / ".gitlab-ci.yml").read_text()).items():
        if isinstance(job, dict):
            lines = [*job.get("before_script", ()), *job.get("script", ())]
            found += [(f"gitlab {name}", "\n".join(lines))] if lines else []
    jenkins = (EXAMPLES / "jenkins" / "Jenkinsfile").read_text()
    for long, short in re.findall(r"sh '''(.*?)'''|sh '([^']+)'", jenkins, re.DOTALL):
        found.append(("jenkins", long or short))
    return found


@pytest.mark.parametrize(("where", "script"), scripts(), ids=[where for where, _ in scripts()])
def test_shell(where, script, tmp_path):
    (tmp_path / "script").write_text(f"#!/bin/bash\n{script}\n")
    passes(tool("shellcheck"), "--exclude=SC1091,SC2086", tmp_path / "script")


def test_every_option_that_is_used_is_one():
    asked = subprocess.run(
        [sys.executable, "-m", "pytest", "--help"], cwd=ROOT, capture_output=True, text=True, timeout=HANGS, check=True
    ).stdout
    used = set()
    for path in FILES:
        text = path.read_text()
        for line in re.findall(r"^.*pytest .*$|^\s*(?:args|arguments|set --).*$", text, re.MULTILINE):
            used |= set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", line.partition("pytest")[2] or line))
    assert {"--env", "--revision", "--slot"} <= used
    assert {option for option in used if option not in asked} == set()


def test_every_variable_is_one_of_the_environment_file():
    known = set(re.findall(r"\$\{(MYCATS_\w+)", (ROOT / "environments" / "production.yaml").read_text()))
    known.add("MYCATS_HISTORY_URL")  # which README recommends
    for path in FILES:
        assert set(re.findall(r"\bMYCATS_[A-Z_]+\b", path.read_text())) - known - {"MYCATS_"} == set(), path


def test_the_image_holds_what_a_run_needs(tmp_path):
    for line in (EXAMPLES / "container" / "Containerfile").read_text().splitlines():
        if line.startswith("COPY "):
            *sources, into = line.split()[1:]
            for source in sources:
                target = tmp_path / into if len(sources) == 1 else tmp_path / into / source
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(ROOT / source, target)
    (tmp_path / "reports").mkdir()
    passes(sys.executable, "-m", "pytest", "-q", "--env", "rehearsal", "-k", "memory_usage or api_health", cwd=tmp_path)
