"""Whether the suite takes a file, by asking it: the loader first, then a collection, which meets checks and targets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from opsverify.config.child_environment import child_environment
from opsverify.config.items import Item
from opsverify.config.loading import load_environment
from opsverify.errors import ConfigurationError

SECONDS = 60
_NOTHING = re.compile(r"(?P<check>[a-z][a-z0-9-]*): found no (?P<missing>.+?)(?: in slot \S+)? to check, allowed")


@dataclass(frozen=True)
class Tried:
    """`nothing`: checks that have no target, with what they look for. `mistakes`: all else that is wrong."""

    nothing: tuple[tuple[str, str], ...] = ()
    mistakes: tuple[str, ...] = ()

    @property
    def taken(self) -> bool:
        return not self.nothing and not self.mistakes

    @property
    def lines(self) -> list[str]:
        """All that is wrong, a line each."""
        return [*self.mistakes, *(f"{check}: found no {missing} to check" for check, missing in self.nothing)]


def attempt(text: str, name: str, root: Path, items: Mapping[str, Item]) -> Tried:
    """Try a text as an environment file of this name. Variables that are not set have a value for the purpose."""
    names = re.findall(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", text)
    variables = {name: os.environ.get(name) or "to-be-set" for name in names}
    with tempfile.TemporaryDirectory(prefix="opsverify-") as folder:
        path = Path(folder) / name
        path.write_text(text, encoding="utf-8")
        try:
            load_environment(path, items, variables)
        except ConfigurationError as error:
            tried = _sorted(error.mistakes, path)
            if tried.mistakes or not tried.nothing:
                return tried
        return _collected(path, root, variables)


def _collected(path: Path, root: Path, variables: Mapping[str, str]) -> Tried:
    command = [sys.executable, "-m", "pytest", f"--env={path}", "--collect-only", "-q", "-p", "no:cacheprovider"]
    kept = {key: value for key, value in child_environment().items() if not key.startswith(("VERIFY_", "PYTEST_"))}
    try:
        done = subprocess.run(
            command, cwd=root, env={**kept, **variables}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Tried(mistakes=(f"the suite did not read it within {SECONDS} s",))
    if done.returncode in (0, 5):
        return Tried()
    lines = [line for line in (done.stderr + "\n" + done.stdout).splitlines() if str(path) in line]
    return _sorted(lines or (done.stderr or done.stdout).strip().splitlines()[-3:], path)


def _sorted(mistakes: list[str] | tuple[str, ...], path: Path) -> Tried:
    nothing, others = {}, []
    for line in mistakes:
        match = _NOTHING.search(line)
        if match:
            nothing[match["check"]] = match["missing"]
        else:
            others.append(line.replace(f"{path}: ", "").removeprefix("ERROR: "))
    return Tried(tuple(nothing.items()), tuple(others))


__all__ = ["Tried", "attempt"]
