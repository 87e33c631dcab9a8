"""Shell functions that several questions share: they read and print, nothing else."""

from __future__ import annotations

from opsverify.probes.host.shell_file import ShellFile

FAMILY = ShellFile(__package__, "functions/family.sh")
MAIN_PIDS = ShellFile(__package__, "functions/main_pids.sh")
LISTENERS = ShellFile(__package__, "functions/listeners.sh")
CHOSEN = ShellFile(__package__, "functions/chosen.sh")
JOURNAL = ShellFile(__package__, "functions/journal.sh")
MOUNTS = ShellFile(__package__, "functions/mounts.sh")
FOLDER = ShellFile(__package__, "functions/folder.sh")
OWNER = ShellFile(__package__, "functions/owner.sh")
CHECKOUT = ShellFile(__package__, "functions/checkout.sh")
PATTERN = ShellFile(__package__, "functions/pattern.sh")
ENVIRONMENT = ShellFile(__package__, "functions/environment.sh")
LIMITS = ShellFile(__package__, "functions/limits.sh")
ENGINE = ShellFile(__package__, "functions/engine.sh")


def unit_name(unit: str) -> str:
    """The full name of a unit, as systemctl takes it."""
    suffixes = (".service", ".timer", ".socket", ".target", ".path", ".mount", ".slice", ".scope")
    return unit if unit.endswith(suffixes) else f"{unit}.service"


def units(unit: str) -> tuple[str, ...]:
    """A unit and the pattern of its instances: Debian's `postgresql` is an empty wrapper of `postgresql@15-main`."""
    full = unit_name(unit)
    if "@" in full or not full.endswith(".service"):
        return (full,)
    return (full, full.removesuffix(".service") + "@*.service")
