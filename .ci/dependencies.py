"""What operators install, the optional too: no release with a known vulnerability, and only licences that we accept.

Where the vulnerability service does not answer, or does not know a release, that is said: silence is no clean bill.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).parents[1] / "requirements-optional.lock"
LICENCES = ("MIT", "BSD", "Apache", "PSF", "Python Software Foundation", "MPL", "Mozilla Public", "LGPL", "EPL")
BIN = Path(sys.executable).parent


def main() -> int:
    names = re.findall(r"^([A-Za-z0-9][\w.-]*)==", LOCK.read_text(), re.MULTILINE)
    return max(advisories(len(names)), licences(names))


def advisories(count: int) -> int:
    """0 where no advisory is known of what could be looked up, else 1."""
    options = ("--disable-pip", "--require-hashes", "--timeout", "60", "--progress-spinner", "off", "--format", "json")
    done = subprocess.run([BIN / "pip-audit", "-r", LOCK, *options], capture_output=True, text=True)
    try:
        listed = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        print(f"Advisories: not run, the vulnerability service did not answer ({reason[0][:160]})")
        return 0
    vulnerable = [f"{one['name']} {one['version']}: {v['id']}" for one in listed for v in one.get("vulns", ())]
    known = sum("skip_reason" not in one for one in listed)
    print(f"Advisories: {known} of {count} packages looked up, {len(vulnerable)} advisories")
    print("".join(f"  {line}\n" for line in vulnerable), end="")
    if known < count:
        print(f"  not known to the vulnerability service, and so not judged: {count - known}")
    return int(bool(vulnerable))


def licences(names: list[str]) -> int:
    """0 where every package has a licence that is accepted, else 1."""
    options = ("--partial-match", "--allow-only", ";".join(LICENCES), "--summary", "--packages", *names)
    done = subprocess.run([BIN / "pip-licenses", *options], capture_output=True, text=True)
    print(f"Licences of {len(names)} packages: " + ("accepted" if done.returncode == 0 else done.stderr.strip()))
    return int(done.returncode != 0)


if __name__ == "__main__":
    raise SystemExit(main())
