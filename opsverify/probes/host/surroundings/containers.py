"""The containers of a host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from opsverify.probes.host.question import MIB, Answer, Question
from opsverify.probes.host.shell_file import ShellFile
from opsverify.probes.host.surroundings.hidden import ended, hidden


@dataclass(frozen=True)
class Container:
    """A container, also one that does not run. `ports`: inside; `published`: (on the host, inside)."""

    engine: str
    name: str
    image: str
    running: bool
    restart: str
    ports: tuple[int, ...] = ()
    published: tuple[tuple[int, int], ...] = ()
    service: str = ""
    """What a compose file calls it."""
    folder: str = ""


@dataclass(frozen=True)
class ContainersSeen:
    """`engines`: those that answered. `hidden`: those that did not."""

    engines: tuple[str, ...] = ()
    containers: tuple[Container, ...] = ()
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class Containers(Question):
    """Every container of docker and podman: name, image, state, ports, and the compose file's name for it.

    Privileges: none for one's own podman; the group docker for docker, which is as much as root. An engine that does
    not answer is told. Source: docker-inspect(1), podman-inspect(1).
    """

    shell = ShellFile(__package__, "containers.sh")
    max_bytes: ClassVar[int] = MIB

    def parse(self, answer: Answer) -> ContainersSeen:
        ended(answer, "the containers")
        engines, found = [], []
        for block in answer.blocks():
            if block.name == "engine":
                engines.append(block.rest)
                found += [one for line in block.lines for one in _container(block.rest, line)]
        return ContainersSeen(tuple(engines), tuple(found), hidden(answer))


def _container(engine: str, line: str) -> Iterator[Container]:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return
    if not isinstance(told, dict):
        return

    def text(key: str) -> str:
        value = told.get(key)
        return value if isinstance(value, str) else ""

    published = tuple(_published(told.get("ports")))
    names = told["ports"] if isinstance(told.get("ports"), dict) else ()  # with those that are not published
    ports = sorted({port for name in names if (port := _number(str(name).partition("/")[0]))})
    if name := text("name").removeprefix("/"):
        yield Container(engine, name, text("image"), text("state") == "running", text("restart"), tuple(ports),
                        published, text("service"), text("folder"))  # fmt: skip


def _published(ports: Any) -> Iterator[tuple[int, int]]:
    for inside, bindings in ports.items() if isinstance(ports, dict) else ():
        for binding in bindings if isinstance(bindings, list) else ():
            outer = _number(str(binding.get("HostPort"))) if isinstance(binding, dict) else None
            inner = _number(str(inside).partition("/")[0])
            if outer and inner:
                yield outer, inner


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65536 else None


__all__ = ["Container", "Containers", "ContainersSeen"]
