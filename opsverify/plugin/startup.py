"""From the command line to a run: which environments, from where, and what the suite starts by itself for them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from opsverify.config.environment import KINDS, Environment
from opsverify.config.history_location import Location, locate
from opsverify.config.loading import Loaded, load_environment, load_items
from opsverify.config.yaml_file import read_yaml
from opsverify.errors import ConfigurationError
from opsverify.evidence.collect import Evidence
from opsverify.plugin import faults as breaking
from opsverify.plugin.default_environment import INI, VARIABLE, settle
from opsverify.plugin.state import Run, contacts_nothing, is_worker
from opsverify.reporting.text import Redactor

if TYPE_CHECKING:
    from rehearsal.faults import Fault

ENVIRONMENTS = "environments"
VARIABLES = pytest.StashKey[dict[str, str]]()
"""What was started for this run, as variables that environment files may use."""


def runbook(config: pytest.Config) -> Path:
    """The file of the items; raises ConfigurationError where pytest has taken another folder for the project."""
    path = config.rootpath / "checks" / "runbook.yaml"
    if not path.is_file():
        # Before it knows an option, pytest takes an existing path that follows it for a test, and looks for its root.
        raise ConfigurationError(
            [
                f"pytest takes {config.rootpath} for the project's folder, which has no checks/runbook.yaml: run it in "
                "the project's folder, and write options that take a path with =, as --html=PATH and --env=PATH"
            ]
        )
    return path


def start(config: pytest.Config) -> Run:
    items = load_items(runbook(config))
    faults = breaking.chosen(config)
    if config.option.history is not None:
        location_of(config, Path(), None)  # a mistake in it is told before a rehearsal is started
    paths = environment_files(config, settle(config))
    loaded: list[Loaded] = []
    mistakes: list[str] = []
    for path in paths:
        try:
            variables = provided(config, path, faults)
            loaded.append(load_environment(path, items, variables, breaking.changes(faults)))
        except ConfigurationError as error:
            mistakes += error.mistakes
    if mistakes:
        raise ConfigurationError(mistakes)
    if config.option.revision is not None:
        loaded = [_meant(one, config.option.revision) for one in loaded]
    slot = config.option.slot
    mistakes = [wrong for one in loaded if (wrong := wrong_slot(one, slot))]
    if mistakes:
        raise ConfigurationError(mistakes)
    secrets = {secret for one in loaded for secret in one.secrets}
    histories = {}
    for one in loaded:
        url = one.environment.history
        histories[one.environment.name] = location_of(config, one.path, url and url.get_secret_value())
    redactor = Redactor(secrets, {name for one in loaded for name in _public_names(one.environment)})
    return Run(loaded, slot, redactor, Evidence(), [], datetime.now(UTC), histories)


def _meant(loaded: Loaded, revision: str) -> Loaded:
    """The same, where the commit that was meant to be deployed is the one that the command line names."""
    if revision == "HEAD" or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/+-]*", revision):
        # An unset variable of CI must not quietly become "whatever the branch is at", nor HEAD "whatever is deployed".
        raise ConfigurationError([f"--revision: found {revision!r}, allowed a commit's hash or a tag"])
    changed = {
        name: item.model_copy(update={"settings": {**item.settings, "revision": revision}})
        for name, item in loaded.items.items()
        if "revision" in item.settings
    }
    return replace(loaded, items={**loaded.items, **changed})


def wrong_slot(loaded: Loaded, slot: str | None) -> str:
    """Why `--slot` cannot be that of an environment; "" where it can."""
    slots = loaded.environment.slots
    if slot is None or slot in slots:
        return ""
    allowed = ", ".join(sorted(slots)) or "no --slot: no target has one"
    return f"{loaded.path}: --slot: found {slot!r}, allowed {allowed}"


def unusable_channels(loaded: Loaded) -> list[str]:
    """The channels of an environment that could send nothing; imports what sends, where there are any."""
    notify = loaded.environment.notify
    if notify is None:
        return []
    from opsverify.notify.channels import unusable

    return [
        f"{loaded.path}: notify.channels.{name}.apprise: found a value that does not fit, allowed {allowed}"
        for name, allowed in unusable(notify)
    ]


def _public_names(environment: Environment) -> Iterator[str]:
    """Words that a report must be able to say even where a careless secret is one of them."""
    for kind in KINDS:
        for target in getattr(environment, kind).values():
            yield target.name
            yield getattr(target, "unit", None) or ""


def environment_files(config: pytest.Config, names: Sequence[str]) -> list[Path]:
    folder = config.rootpath / ENVIRONMENTS
    environments = sorted(path.stem for path in folder.glob("*.yaml"))
    listing = "known environments: " + ", ".join(environments) + "; or a path to a YAML file"
    if not names:
        default = f"{VARIABLE}=NAME, or {INI} = NAME in pytest.ini, names it for every run"
        raise ConfigurationError([f"--env: found nothing, allowed one of the environments ({listing}); {default}"])
    paths, mistakes = [], []
    for name in dict.fromkeys(names):
        looks_like_path = name.endswith((".yaml", ".yml")) or os.sep in name
        path = (config.invocation_params.dir / name) if looks_like_path else folder / f"{name}.yaml"
        if path.is_file():
            paths.append(path)
        else:
            mistakes.append(f"--env: found {name!r}, allowed one of the environments ({listing})")
    stems = [path.stem for path in paths]
    mistakes += [f"--env: found two files named {stem!r}, allowed one" for stem in set(stems) if stems.count(stem) > 1]
    if mistakes:
        raise ConfigurationError(mistakes)
    return paths


def provided(config: pytest.Config, path: Path, faults: Sequence[Fault]) -> Mapping[str, str]:
    """Variables of what the suite starts by itself for this environment; none for a real one."""
    raw = read_yaml(path)
    if not isinstance(raw, dict) or raw.get("provided_by") != "rehearsal":
        breaking.refuse(path, faults)
        return {}
    if contacts_nothing(config):
        from rehearsal import foreseen

        return foreseen.variables(path)
    if is_worker(config):
        given: dict[str, str] = config.workerinput["opsverify_variables"]  # type: ignore[attr-defined]
        return given
    if faults:
        variables = breaking.start_broken(config, faults)
        config.stash[VARIABLES] = dict(variables)
        return variables
    import rehearsal

    running = rehearsal.ensure()
    config.add_cleanup(running.stop)
    config.stash[VARIABLES] = dict(running.variables)
    return running.variables


def location_of(config: pytest.Config, path: Path, url: object) -> Location:
    """The history of the environment in `path`, whose key has this value; the option comes first."""
    option = config.option.history
    where = f"{path}: history" if option is None else "--history"
    try:
        if option is not None:
            return locate(option, config.invocation_params.dir)
        return locate(str(url or ""), config.rootpath)
    except ValueError as error:
        raise ConfigurationError([f"{where}: found a value that does not fit, allowed {error}"]) from None
