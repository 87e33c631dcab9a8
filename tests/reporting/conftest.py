"""Real pytest sub-runs of the sample, in one process and under xdist, each made once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.pace import HANGS

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))


@dataclass(frozen=True)
class Run:
    """What a sub-run left behind."""

    code: int
    output: str
    folder: Path

    @property
    def html(self) -> Path:
        return self.folder / "report.html"

    @property
    def junit(self) -> Path:
        return self.folder / "report.xml"

    @property
    def summary(self) -> list[str]:
        """The terminal's lines from our first one on."""
        lines = self.output.splitlines()
        return [line for line in lines if line.strip()]


Runner = Callable[..., Run]


@pytest.fixture(scope="session")
def run_sample(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Run the sample with these cases: `run_sample(cases, "-n2", language="ja", extra="def test_x(): …")`."""
    made: dict[str, Run] = {}

    def run(cases: list[dict[str, Any]], *options: str, language: str = "en", extra: str = "", **more: str) -> Run:
        key = json.dumps([cases, options, language, extra, more])
        if key not in made:
            folder = tmp_path_factory.mktemp("sample")
            shutil.copy(HERE / "sample" / "plugin.py", folder / "conftest.py")
            shutil.copy(HERE / "sample" / "checks.py", folder / "test_sample.py")
            if extra:
                (folder / "test_extra.py").write_text(extra, "utf-8")
            environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_"))}
            environment |= {
                "OPSVERIFY_SAMPLE": json.dumps(cases),
                "OPSVERIFY_LANGUAGE": language,
                "PYTHONPATH": str(ROOT),
                "PYTHONUTF8": "1",
                **more,
            }
            command = [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", str(folder)]
            command += ["-p", "no:cacheprovider", "--html=report.html", "--self-contained-html"]
            command += ["--junitxml=report.xml", "-o", "junit_family=xunit1", *options, str(folder)]
            done = subprocess.run(
                command,
                cwd=folder,
                env=environment,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=HANGS,
                check=False,
            )
            made[key] = Run(done.returncode, done.stdout + done.stderr, folder)
        return made[key]

    return run


@pytest.fixture(params=[(), ("-n2",)], ids=["plain", "xdist"])
def options(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Options of a sub-run: the reports must not depend on how it was spread."""
    chosen: tuple[str, ...] = request.param
    return chosen
