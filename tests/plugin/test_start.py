"""What a start imports is counted: an operator waits for it before anything is asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pace import HANGS

ROOT = Path(__file__).parents[2]
NEEDED = {
    "packaging",
    "pydantic",
    "pydantic_core",
    "annotated_types",
    "typing_extensions",
    "typing_inspection",
    "yaml",
    "_yaml",
}
"""What reading an environment takes, and pytest.ini (minversion)."""
LATER = {"asyncio", "ssl", "http.client", "sqlite3", "multiprocessing", "concurrent.futures.process"}
"""Of Python's own, what only a question needs."""


def imported(project: Path, *arguments: str) -> set[str]:
    """Every module that such a run imports."""
    command = [sys.executable, "-X", "importtime", "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")} | {"PYTHONPATH": str(ROOT)}
    # Those of the tests, which operators do not have.
    for plugin in ("hypothesispytest", "pytest_cov", "benchmark"):
        command += ["-p", f"no:{plugin}"]
    done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, timeout=HANGS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    times = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in times}


def foreign(modules: set[str]) -> set[str]:
    """The packages among them that are neither Python's own nor ours."""
    tops = {name.partition(".")[0] for name in modules}
    ours = {"opsverify", "conftest", "checks", "sitecustomize", "rehearsal"}
    return {name for name in tops - set(sys.stdlib_module_names) - ours if not name.startswith(("test_", "_", "__"))}


@pytest.mark.parametrize(
    "text",
    ["hosts: {here: {connection: 'ssh://root@127.0.0.1:1'}}\n", "hosts: {web: {connection: 'ssh://web[001:250]'}}\n"],
    ids=["one host", "a fleet"],
)
def test_reading_and_listing_takes_no_more_than_yaml_and_pydantic(project, tmp_path_factory, text):
    project.environment("here", text)
    modules = imported(project.folder, "--env", "here", "--collect-only", "-q")
    empty = tmp_path_factory.mktemp("empty")
    (empty / "test_empty.py").write_text("def test_empty(): pass\n")
    anyway = imported(empty, "--collect-only", "-q", "--rootdir=.")
    assert foreign(modules) - foreign(anyway) - NEEDED == set()
    assert (modules - anyway) & LATER == set()


def test_a_run_of_local_checks_needs_no_database_no_ssh_and_no_tls(project):
    project.environment("here", "hosts: {here: {}}\nhistory: none\n")
    modules = imported(project.folder, "--env", "here", "-k", "memory_usage", "-q")
    unused = {"asyncssh", "cryptography", "psycopg", "requests", "sqlalchemy", "alembic", "dask", "distributed"}
    assert foreign(modules) & unused == set()
