"""Where the variables of a service stand, and what files of variables mean."""

from __future__ import annotations

import json

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.environment_files import node_env_file, npm_dotenv, systemd_environment
from opsverify.probes.host.question import Answer, Block, integer, one_line
from opsverify.probes.host.service import ServiceQuestion, stopped
from opsverify.probes.host.shell import CHOSEN, ENGINE, ENVIRONMENT, FAMILY, LISTENERS, MAIN_PIDS

SHOWN = (FAMILY, ENGINE, MAIN_PIDS, LISTENERS, CHOSEN, ENVIRONMENT)
"""The helpers of a script that calls `environment`, whose output `variables_in` reads."""


def environment_arguments(question: ServiceQuestion, env_files: tuple[str, ...], names: str) -> tuple[str, ...]:
    """What `environment` is given; `names` is an extended regular expression of whole names."""
    kind, name, *more = question.service_arguments
    return f"^({names})=", kind, name, "".join(more), *env_files


Variables = dict[str, tuple[str, str]]
"""By name: a variable's value, and where it stands."""


def variables_in(question: ServiceQuestion, answer: Answer) -> tuple[Variables, list[str], list[str]]:
    """The variables that `environment` of environment.sh showed, the sources read, and those that may not be read.

    Raises MissingPrivilege or ProbeError where nothing could be read; of a service that does not run, that is why.
    """
    title = question.title
    variables: Variables = {}
    sources: list[str] = []
    denied: list[str] = []
    for name, values in _read_sources(title, answer.blocks(), denied):
        sources.append(name)
        for key, value in values.items():
            variables.setdefault(key, (value, name))
    if not sources:
        if denied:
            places = one_line(", ".join(dict.fromkeys(denied)))
            raise MissingPrivilege(
                f"{title} could not be determined: this account may not read {places}; "
                "use the service's own account or root"
            )
        if answer.block("notrunning") and not answer.errors.strip():
            raise stopped(question.service)
        raise answer.failure(title)
    return variables, sources, denied


Sources = list[tuple[str, dict[str, str]]]


def _read_sources(title: str, blocks: list[Block], denied: list[str]) -> Sources:
    """What each place sets, the one that wins first. Adds to `denied` what may not be read."""
    process: Sources = []
    unit: Sources = []
    node: Sources = []
    application: Sources = []
    systemd = 0
    for block in blocks:
        if block.name == "process":
            values = dict(line[1:].partition("=")[::2] for line in block.lines if line.startswith(" "))
            process.append((f"process {block.rest}", {k: v.replace("\x01", "\n") for k, v in values.items()}))
        elif block.name == "systemd":
            systemd = integer(block.rest, "the version of systemd")
        elif block.name == "unit":
            if of_unit := systemd_environment.shown(" ".join(block.lines)):
                unit.append(("the unit's Environment=", of_unit))
        elif block.name == "container":
            unit.append((f"the container {block.rest}", _of_container(block)))
        elif block.name == "unitfile":
            # Later files win over earlier ones, and all of them over Environment=.
            unit.insert(0, (block.rest, systemd_environment.parse(_text(block), systemd)))
        elif block.name == "nodefile":
            try:
                node.insert(0, (block.rest, node_env_file.parse(_text(block))))
            except ProbeError as error:
                raise ProbeError(f"{title} could not be determined: {one_line(block.rest)}: {error}") from None
        elif block.name == "envfile":
            # dotenv lets stand what Node.js has set from the same file.
            if all(block.rest != name for name, _ in node):
                application.append((block.rest, npm_dotenv.parse(_text(block))))
        elif block.name == "denied":
            denied.append(block.rest)
        elif block.name == "hidden":
            # It would win over what was read of its kind so far: that is not known to be in force.
            {"unitfile": unit, "nodefile": node}.get(block.rest, []).clear()
    return process + unit + node + application


def _of_container(block: Block) -> dict[str, str]:
    """What a container was created with, each as JSON has it, without the quotation marks."""
    try:
        values = [json.loads(f'"{line[1:]}"') for line in block.lines if line.startswith(" ")]
    except ValueError:
        raise ProbeError(f"the variables of container {one_line(block.rest, 60)} were not understood") from None
    return dict(value.partition("=")[::2] for value in values)


def _text(block: Block) -> str:
    """The file that `show` showed: behind it stands one more line feed, which is none of its own."""
    lines = [line[1:] for line in block.lines if line.startswith(" ")]
    return "\n".join(lines) + ("\n" if lines and block.lines[-1] == "" else "")


__all__ = ["SHOWN", "Variables", "environment_arguments", "variables_in"]
