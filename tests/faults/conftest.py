"""A rehearsal of each worker's own, what a run finds in it while all is well, and whether a fault was undone."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
import yaml

import rehearsal
from opsverify.config.loading import laid_over
from opsverify.config.yaml_file import read_yaml
from rehearsal import faults
from rehearsal.faults import Fault, Scene
from rehearsal.layout import SLOTS_APART_SECONDS
from rehearsal.whole import Rehearsal
from tests.pace import HANGS

ROOT = Path(__file__).parents[2]
FROM_BEST_TO_WORST = ("not applicable", "normal", "warning", "blocked", "undetermined", "alert", "broken")
"""Where two checks are of one item and one target, the worse one stands for both."""
TOUCHED_BY_RUNNING = ("var/log", "var/lib", "var/run", "var/spool", "srv/mycats/backend/backend.log")

Seen = dict[str, str]
"""Verdicts by "check-id[target]"."""


class Stage:
    """One rehearsal to break and to mend again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = contextlib.ExitStack()
        self._well: dict[str, Seen] = {}
        self.whole: Rehearsal = self._start()

    def _start(self) -> Rehearsal:
        whole = self._running.enter_context(rehearsal.private())
        for backend in whole.backends.values():
            # Every run of the suite asks a few times: a hundred runs are no reason to be turned away.
            backend.env["RATE_LIMIT"] = "1000000"
            backend.restart()
            time.sleep(SLOTS_APART_SECONDS)
        return whole

    def renew(self) -> None:
        """Leave what could not be mended behind, and start another one."""
        self.close()
        self._well.clear()
        self.whole = self._start()

    def close(self) -> None:
        self._running.close()

    def run(self, scene: Scene, broken_by: Sequence[Fault] = ()) -> Seen:
        """What a run of every check that belongs to the scene finds."""
        junit = self._folder / "junit.xml"
        junit.unlink(missing_ok=True)
        command = [
            sys.executable,
            "-m",
            "pytest",
            f"--env={self._environment(scene, broken_by)}",
            f"--junitxml={junit}",
        ]
        command += [f"--html={self._folder / 'report.html'}", f"--history=sqlite:///{self.whole.layout.history}"]
        command += ["-m", scene.markers] if scene.markers else []
        command += ["--slot", scene.slot] if scene.slot else []
        env = {k: v for k, v in os.environ.items() if not k.startswith(("VERIFY_", "PYTEST_", "REHEARSAL_"))}
        env["REHEARSAL_ATTACH"] = str(self.whole.layout.root)
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=HANGS, check=False)
        assert junit.exists(), done.stdout + done.stderr
        seen: Seen = {}
        self.sentences: dict[str, str] = {}
        for case in ET.parse(junit).iter("testcase"):
            output = {str(p.get("name")): str(p.get("value")) for p in case.iter("property")}
            key = f"{output['runbook']}[{output['target']}]" if output["target"] else output["runbook"]
            verdict = max(output["verdict"], seen.get(key, output["verdict"]), key=FROM_BEST_TO_WORST.index)
            if verdict == output["verdict"]:
                self.sentences[key] = output.get("sentence", "")
            seen[key] = verdict
        return seen

    def _environment(self, scene: Scene, broken_by: Sequence[Fault]) -> str:
        changes = [one for one in (scene.changes, *(fault.changes for fault in broken_by)) if one]
        if not changes:
            return "rehearsal"
        tree = read_yaml(ROOT / "environments/rehearsal.yaml")
        path = self._folder / "rehearsal.yaml"
        with path.open("w", encoding="utf-8") as file:
            yaml.safe_dump(laid_over(tree, *changes), file, sort_keys=False)
        return str(path)

    def well(self, scene: Scene) -> Seen:
        """What a run finds while the system is as it should be in this scene."""
        if scene.name not in self._well:
            with faults.broken(self.whole, [], scene):
                self._well[scene.name] = self.run(scene)
        return self._well[scene.name]

    def state(self) -> Mapping[str, object]:
        """What must be the same again when a fault was undone."""
        root, result = self.whole.layout.root, {}
        for path in root.rglob("*"):
            name = path.relative_to(root).as_posix()
            if name.startswith(TOUCHED_BY_RUNNING) or "/.git/" in name or name.startswith("srv/git"):
                continue
            status = path.lstat()
            result[name] = (oct(status.st_mode),)
            if stat.S_ISREG(status.st_mode):
                # What the parts are configured with is written at each start; what is deployed or kept is not.
                when = () if name.startswith("etc/") else (status.st_mtime_ns,)
                result[name] += (status.st_size, *when)
        for part in self.whole.running_parts:
            result[part.name] = part.alive()
        for file in ("pg_hba.conf", "postgresql.auto.conf"):
            result[file] = (self.whole.postgres.data / file).read_text()
        with self.whole.postgres.connect() as admin:
            for name, query in DATABASE.items():
                result[name] = admin.execute(query).fetchall()
            for (table,) in admin.execute(TABLES).fetchall():
                query = f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {table} t"
                result[table] = admin.execute(query).fetchone()
        return result


TABLES = (
    "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind = 'r' AND n.nspname = 'public' ORDER BY 1"
)
DATABASE = {
    "roles": "SELECT rolname, rolsuper, rolcreaterole, rolbypassrls, rolpassword FROM pg_authid ORDER BY 1",
    "settings of roles and databases": "SELECT setdatabase, setrole, setconfig FROM pg_db_role_setting ORDER BY 1, 2",
    "rights": "SELECT relname, coalesce(relacl, acldefault('r', relowner))::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    " AND relkind = 'r' ORDER BY 1",
    "functions": "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
    "indexes": "SELECT relname, indisvalid FROM pg_index JOIN pg_class c ON c.oid = indexrelid"
    " WHERE relnamespace = 'public'::regnamespace ORDER BY 1",
    "constraints": "SELECT conname, convalidated FROM pg_constraint ORDER BY 1, 2",
    "storage": "SELECT relname, reloptions FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1",
}


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The rehearsal of this worker."""
    own = Stage(tmp_path_factory.mktemp("stage"))
    yield own
    own.close()
