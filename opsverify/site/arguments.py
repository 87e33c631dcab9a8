"""The command line of `python -m opsverify.site`, with all its mistakes at once."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn, TypeVar

from opsverify.config.history_location import Location, locate
from opsverify.config.items import Item
from opsverify.config.loading import load_items, one_setting
from opsverify.errors import ConfigurationError
from opsverify.site.about import About, about

T = TypeVar("T")

_LANGUAGES = ("en", "ja")


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for. `environments` is empty where all of the history's are meant."""

    out: Path
    language: str
    history: Location
    """Of what is not among `histories`."""
    histories: dict[str, Location]
    environments: dict[str, About]
    items: dict[str, Item]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigurationError([message])


def wanted(arguments: Sequence[str], root: Path) -> Wanted:
    """Read the command line, and the files in `root` that it names; raises ConfigurationError with every mistake."""
    mistakes: list[str] = []

    def tried(work: Callable[[], T], otherwise: T) -> T:
        try:
            return work()
        except ConfigurationError as error:
            mistakes.extend(error.mistakes)
            return otherwise

    reader = parser()
    nothing = argparse.Namespace(out=".", history=None, env=[], language="en"), list[str]()
    given, unknown = tried(lambda: reader.parse_known_args(arguments), nothing)
    mistakes += [f"found {word!r}, allowed the options of --help" for word in unknown]
    if not given.out:
        mistakes.append("--out: found nothing, allowed the folder to write the site to")
    elif Path(given.out).exists() and not Path(given.out).is_dir():
        mistakes.append(f"--out: found {given.out!r}, which is a file, allowed a folder")
    if given.language not in _LANGUAGES:
        mistakes.append(f"--language: found {given.language!r}, allowed {' or '.join(_LANGUAGES)}")
    history = tried(lambda: _location(given.history, "--history", root), Location("none"))
    nothing_promised: dict[str, Item] = {}
    items = tried(lambda: load_items(root / "checks" / "runbook.yaml"), nothing_promised)
    abouts, histories = {}, {}
    for name in dict.fromkeys(given.env):
        path = file_of(root, name)
        abouts[name] = tried(partial(about, name, path, items), About(name, name, "", "", items))
        if path.is_file():
            if given.history is None:
                histories[name] = tried(partial(_own_location, path, root), Location("none"))
        elif given.history is None:
            known = ", ".join(sorted(one.stem for one in path.parent.glob("*.yaml"))) or "none"
            mistakes.append(f"--env: found {name!r}, allowed the name of a file in environments/ ({known})")
    if mistakes:
        raise ConfigurationError(mistakes)
    return Wanted(Path(given.out), given.language, history, histories, abouts, items)


def file_of(root: Path, name: str) -> Path:
    """The file that describes an environment, which need not be there. A name out of a history leads nowhere else."""
    return root / "environments" / f"{Path(name).name}.yaml"


def _own_location(path: Path, root: Path) -> Location:
    return _location(one_setting(path, "history"), f"{path}: history", root)


def _location(url: str | None, where: str, root: Path) -> Location:
    try:
        location = locate(url, root)
    except ValueError as error:
        raise ConfigurationError([f"{where}: found a value that does not fit, allowed {error}"]) from None
    if location.off:
        raise ConfigurationError([f"{where}: found 'none', allowed the history that the site is made from"])
    return location


def parser() -> argparse.ArgumentParser:
    """The options of `python -m opsverify.site`."""
    reader = _Parser(
        prog="python -m opsverify.site",
        description="Write a static site from the history: availability, trends, and a report for each month.",
        allow_abbrev=False,
    )
    reader.add_argument("--out", metavar="DIR", help="the folder to write to; what is in it already stays")
    reader.add_argument(
        "--history",
        metavar="URL",
        help="sqlite:///path/to/history.db or postgresql://user@host/name (default: the environment's, else "
        "reports/history.db)",
    )
    reader.add_argument(
        "--env",
        metavar="NAME",
        action="extend",
        nargs="+",
        default=[],
        help="names from environments/, or with --history any that it has (default: all that it has)",
    )
    reader.add_argument("--language", metavar="LANGUAGE", default="en", help="en or ja (default: en)")
    return reader
