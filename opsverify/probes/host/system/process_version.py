"""The version of the executable that a service really runs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.question import Answer, one_line
from opsverify.probes.host.service import ServiceQuestion, stopped
from opsverify.probes.host.shell import CHOSEN, ENGINE, FAMILY, LISTENERS, MAIN_PIDS, OWNER
from opsverify.probes.host.shell_file import ShellFile
from opsverify.probes.host.system.versions import Version, version_of


@dataclass(frozen=True)
class ProcessExecutableVersion(ServiceQuestion):
    """The version of the executable that a service really runs: `/proc/PID/exe --version`.

    Runs that executable once, for its version only, and only when its file is named as `executable` says; root has it
    run as the account that the file or the process belongs to. It is the
    running one even where a newer one was installed since. In a container it is run by `docker exec` or
    `podman exec`: its libraries are others than the host's. Where it may not be seen, the file that the unit's
    ExecStart= or else the process's command names by its whole path is run instead, and the version's note says so:
    it is what the next start runs. Privileges: the same user or root for the running one; none for the other; for a
    container those of `ContainerState`.
    """

    executable: str = "node"

    shell = ShellFile(__package__, "process_version.sh")
    helpers = (FAMILY, ENGINE, MAIN_PIDS, LISTENERS, CHOSEN, OWNER)

    @property
    def title(self) -> str:
        return f"the running {self.executable} of {self.service}"

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.executable, *self.service_arguments

    def parse(self, answer: Answer) -> Version:
        process, exe, version = (answer.block(name) for name in ("process", "exe", "version"))
        if answer.block("notrunning") and answer.errors.strip():
            raise ProbeError(f"{self.title} could not be determined: {answer.complaint('the host gave no reason')}")
        if answer.block("notrunning"):
            raise stopped(self.service)
        if denied := answer.block("denied"):
            return self._as_started(answer, process.rest if process else "?", one_line(denied.rest, 60))
        if exe is None or process is None:
            raise answer.failure(self.title)
        if version is None:
            raise ProbeError(f"{self.title} could not be determined: process {process.rest} runs {one_line(exe.rest)}")
        return version_of(self.title, "\n".join(version.lines), exe.rest)

    def _as_started(self, answer: Answer, process: str, command: str) -> Version:
        started, version = answer.block("as"), answer.block("version")
        if started is None or version is None:
            raise MissingPrivilege(
                f"{self.title} could not be determined: this account may not see what process {process} runs, and "
                f"neither its unit nor its command, {command or '?'}, names a {self.executable} by a whole path that "
                "this account may run; use the service's own account or root"
            )
        by, _, path = started.rest.partition(" ")
        what = "unit starts it" if by == "unit" else "command names it"
        note = f"as its {what} (what process {process} runs may not be seen by this account)"
        return replace(version_of(self.title, "\n".join(version.lines), path), note=note)


__all__ = ["ProcessExecutableVersion"]
