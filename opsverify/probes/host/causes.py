"""Why a host gave no answer, in one sentence each: what `ssh`, `docker`, `kubectl` and their kin say, understood."""

from __future__ import annotations

import re
from collections.abc import Sequence

from opsverify.errors import MissingPrivilege, ProbeError, Unreachable
from opsverify.probes.host.question import one_line

Rule = tuple[str, type[ProbeError], str]

# The first rule that matches wins: causes stand before what follows from them (a bastion that refuses the key also
# makes the outer ssh say "Connection closed").
_RULES: Sequence[Rule] = (
    (
        r"REMOTE HOST IDENTIFICATION HAS CHANGED|[Hh]ost key for .* has changed",
        Unreachable,
        "its SSH host key is not the one in known_hosts: it was reinstalled, or something else answers in its place",
    ),
    (r"REVOKED HOST KEY", Unreachable, "its SSH host key is marked as revoked in known_hosts"),
    (
        r"host key is known for|Host key verification failed",
        Unreachable,
        "its SSH host key is unknown: verify it, then add it to known_hosts",
    ),
    (r"UNPROTECTED PRIVATE KEY FILE", Unreachable, "the SSH private key is readable by others, so ssh ignores it"),
    (
        r"Too many authentication failures",
        Unreachable,
        "SSH authentication refused: too many keys were offered; set IdentitiesOnly and IdentityFile in the ssh_config",
    ),
    (r"Permission denied \((?P<what>[a-z,-]+)\)", Unreachable, "SSH authentication refused (it accepts: {what})"),
    (r"Permission denied, please try again", Unreachable, "SSH authentication refused"),
    (r"Could not resolve hostname (?P<what>\S+?):", Unreachable, "the name {what} was not resolved"),
    (r"Connection refused", Unreachable, "connection refused"),
    (r"No route to host|Network is unreachable", Unreachable, "no route to the host"),
    (r"timed out|Timeout, server .* not responding", Unreachable, "no answer: the connection timed out"),
    (r"administratively prohibited", Unreachable, "the jump host does not allow forwarding to it"),
    (
        r"Bad configuration option|bad configuration option|Can't open user config file|Bad owner or permissions on",
        ProbeError,
        "ssh does not accept its configuration: {line}",
    ),
    (r"[Nn]o such container|no container with name|container .* does not exist", Unreachable, "no such container"),
    (r"[Ii]nstance not found", Unreachable, "no such instance"),
    (
        r"container \S+ is not running|can only create exec sessions on running containers|container not running",
        Unreachable,
        "the container is not running",
    ),
    (r"pods? \"?(?P<what>[^\"\s]+)\"? not found", Unreachable, "no such pod"),
    (
        r"Cannot connect to the Docker daemon|Is the docker daemon running",
        Unreachable,
        "the Docker daemon does not answer",
    ),
    (
        r"permission denied while trying to connect to the (?P<what>\S+)",
        MissingPrivilege,
        "the account may not talk to the {what} daemon",
    ),
    (r"cannot change root directory to .*: No such file", Unreachable, "no such folder"),
    (r"cannot change root directory|Operation not permitted", MissingPrivilege, "that needs root on this machine"),
    (
        r"sudo: .*(?:password is required|a terminal is required)",
        MissingPrivilege,
        "sudo asks for a password there: allow it without one for this account, or drop sudo from the connection",
    ),
    (r"is not in the sudoers file|not allowed to (?:execute|run sudo)", MissingPrivilege, "sudo is not allowed there"),
    (
        r"exec: \"?/bin/sh\"?.*(?:no such file|not found)|/bin/sh: no such file|stat /bin/sh|"
        r"failed to run command '?/bin/sh'?|(?:cannot run|can't execute) command '?/bin/sh",
        ProbeError,
        "there is no POSIX shell (/bin/sh) on it",
    ),
    (
        r"(?:/bin/sh|sh|bash|dash): (?:\d+: |line \d+: )?(?:exec: )?(?P<what>ssh|docker|podman|kubectl|oc|lxc|"
        r"chroot|sudo|ansible[a-z-]*): (?:command )?not found",
        ProbeError,
        "the command {what} is not installed where the suite runs",
    ),
    (
        r"No module named '?(?P<what>salt|ansible)|install (?P<also>salt) package",
        ProbeError,
        "the Python package for this kind of connection is not installed where the suite runs",
    ),
    (r"account is currently not available|/(?:nologin|false)\b", Unreachable, "its account has no login shell"),
    (
        r"kex_exchange_identification|Connection (?:closed|reset) by|banner exchange|Broken pipe|"
        r"closed by remote host|[Mm]ux.*(?:master|connection)",
        Unreachable,
        "it closed the connection",
    ),
)

_DROPPED = re.compile(
    r"kex_exchange_identification|Connection (?:closed|reset) by|Not allowed at this time|banner exchange.*reset"
    r"|closed by remote host",
)


def explain(errors: bytes | str, status: int | None = None) -> ProbeError:
    """The error for a connection that gave no answer; `errors` is what the connecting command said on stderr."""
    text = errors.decode("utf-8", "replace") if isinstance(errors, bytes) else errors
    for pattern, kind, sentence in _RULES:
        match = re.search(pattern, text)
        if match:
            groups = {name: one_line(value, 80) for name, value in match.groupdict("").items()}
            line = next((one for one in text.splitlines() if re.search(pattern, one)), "")
            return kind(sentence.format(line=one_line(line), **groups))
    detail = one_line(text) or (f"the connection ended with status {status}" if status is not None else "no answer")
    return Unreachable(f"it did not run the script: {detail}")


def dropped(errors: bytes) -> bool:
    """Whether a server closed the connection before saying who it is, as sshd does past its MaxStartups."""
    text = errors.decode("utf-8", "replace")
    cause = explain(text)
    return bool(_DROPPED.search(text)) and str(cause) == "it closed the connection"
