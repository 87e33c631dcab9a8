"""A small project of its own for each test: real runs of the real plugin, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

EXCUSED = """
not_applicable:
{excuses}
"""


@dataclass
class Outcome:
    """One run of pytest: what it said, and what it left behind."""

    code: int
    output: str
    folder: Path

    @property
    def cases(self) -> dict[str, ET.Element]:
        """JUnit test cases by name."""
        files = list(self.folder.glob("reports/*/junit.xml"))
        assert len(files) == 1, f"{files}\n{self.output}"
        return {str(case.get("name")): case for case in ET.parse(files[0]).iter("testcase")}

    def properties(self, name: str) -> dict[str, str]:
        return {str(p.get("name")): str(p.get("value")) for p in self.cases[name].iter("property")}

    def verdicts(self) -> dict[str, str]:
        return {name: self.properties(name)["verdict"] for name in self.cases}

    def everything(self) -> str:
        """All text that the run produced: terminal and every file."""
        texts = [self.output]
        texts += [p.read_text(errors="replace") for p in self.folder.glob("reports/**/*") if p.is_file()]
        return "\n".join(texts)


class Project:
    """A project folder with the plugin, the real runbook.yaml and checks, and environments of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "conftest.py").write_text((ROOT / "conftest.py").read_text())
        # Without the environment that an operator may have named there.
        lines = (ROOT / "pytest.ini").read_text().splitlines(keepends=True)
        (folder / "pytest.ini").write_text("".join(line for line in lines if not line.startswith("env")))
        (folder / "checks").symlink_to(ROOT / "checks")
        (folder / "environments").mkdir()

    def own_checks(self, text: str) -> None:
        """Replace the checks by the test's own, with the real runbook.yaml."""
        (self.folder / "checks").unlink()
        (self.folder / "checks").mkdir()
        (self.folder / "checks" / "runbook.yaml").write_text((ROOT / "checks" / "runbook.yaml").read_text())
        (self.folder / "checks" / "test_own.py").write_text(text)

    def environment(self, name: str, text: str, *, excused: bool = True, excuse: tuple[str, ...] = ()) -> Path:
        """Write an environment; kinds that it does not list are excused, and so are the checks in `excuse`."""
        from opsverify.config.environment import KINDS

        listed = {line.split(":")[0] for line in text.splitlines() if line and line[0].isalpha()}
        lines = "".join(f"  {kind}: not part of this test\n" for kind in (*KINDS, *excuse) if kind not in listed)
        path = self.folder / "environments" / f"{name}.yaml"
        path.write_text(text + (f"not_applicable:\n{lines}" if excused and lines else ""))
        return path

    def run(self, *arguments: str, timeout: float = 120, **variables: str) -> Outcome:
        env = {k: v for k, v in os.environ.items() if not k.startswith(("VERIFY_", "PYTEST_"))}
        env.update(PYTHONPATH=str(ROOT), COLUMNS="200", **variables)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *arguments],
            cwd=self.folder, env=env, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout + done.stderr, self.folder)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def serve() -> Iterator[Callable[[Any], str]]:
    """Start HTTP servers on loopback for the length of a test; gives back their addresses."""
    import threading
    from http.server import ThreadingHTTPServer

    servers = []

    def start(handler: Any) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
