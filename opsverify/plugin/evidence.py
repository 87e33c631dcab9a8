"""Evidence before the first test, collected once however many processes run the tests."""

from __future__ import annotations

import importlib
import pickle
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from opsverify.drills.scratch import Scratch
from opsverify.evidence.collect import Evidence, collect
from opsverify.evidence.concurrency import Concurrency
from opsverify.evidence.query import Query
from opsverify.facts.registry import FACTS
from opsverify.plugin.costs import by_cost, remarks
from opsverify.plugin.progress import Shown
from opsverify.plugin.startup import VARIABLES
from opsverify.plugin.state import CASE, RUN, is_worker
from opsverify.probes.host.ssh.left import left_to_openssh
from opsverify.reporting.words import Words

SHARED = pytest.StashKey[Scratch]()
"""xdist: the folder in which the first worker leaves the evidence for the others; gone even after kill -9."""


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """xdist: hand what was started once, and a place to share the evidence, to each worker."""
    config = node.config
    if SHARED not in config.stash:
        config.stash[SHARED] = Scratch()
    node.workerinput["opsverify_variables"] = config.stash.get(VARIABLES, {})
    node.workerinput["opsverify_shared"] = str(config.stash[SHARED].path)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    config = session.config
    if config.option.collectonly or not session.items or session.testsfailed:
        return
    run = config.stash[RUN]
    if not is_worker(config) and any(not location.off for location in run.histories.values()):
        # What the end of the run needs, while everybody waits: a quarter of a second.
        threading.Thread(target=importlib.import_module, args=("opsverify.history.store",), daemon=True).start()
    gather(config, session.items)


def gather(config: pytest.Config, items: Iterable[pytest.Item]) -> None:
    """Ask every target once for all that these checks need."""
    queries = {_ask_key(query): query for item in items for query in asks(item)}
    run = config.stash[RUN]
    seconds = max(loaded.environment.run_seconds for loaded in run.environments)
    run.evidence = _collect_once(config, list(queries.values()), seconds)


def _ask_key(query: Query) -> Any:
    return (query.probe, query.target.identity, query.question)


def asks(item: pytest.Item) -> Iterator[Query]:
    """What a check needs to be collected; nothing for one that does not apply."""
    case = item.stash.get(CASE, None)
    if case is None or case.target is None or case.excuse:
        return
    for name in getattr(item, "fixturenames", ()):
        if name in FACTS:
            yield from FACTS[name].queries(case.environment, case.target, case.item.settings)


def _collect_once(config: pytest.Config, queries: list[Query], seconds: float) -> Evidence:
    """The evidence; under xdist the first worker collects it and the others read what it left."""
    if not is_worker(config):
        return _collect(config, queries, seconds, _progress(config))
    from filelock import FileLock

    folder = Path(config.workerinput["opsverify_shared"])  # type: ignore[attr-defined]
    shared = folder / "evidence.pickle"
    with FileLock(folder / "evidence.lock"):
        if shared.exists():
            return Evidence(**pickle.loads(shared.read_bytes()))  # noqa: S301 - our own file, in a 0700 folder
        evidence = _collect(config, queries, seconds)
        shared.write_bytes(pickle.dumps(evidence.state()))
        return evidence


def _collect(config: pytest.Config, queries: list[Query], seconds: float, progress: Shown | None = None) -> Evidence:
    turns = Concurrency.of_this_machine(config.option.concurrency)
    wanted = {via: query.target.label for query in queries if (via := getattr(query.target, "via", None))}
    if config.option.executor is None:
        if wanted:
            told = ", ".join(f"{label} via {via}" for via, label in sorted(wanted.items()))
            raise pytest.UsageError(f"{told}: reached by a worker only, --executor dask://scheduler:8786 says whose")
        return collect(queries, run_seconds=seconds, concurrency=turns, progress=progress)
    from opsverify.evidence.cluster import Cluster, ClusterError

    try:
        cluster = Cluster(config.option.executor, wanted)
    except ClusterError as error:
        raise pytest.UsageError(str(error)) from None
    try:
        count = config.option.concurrency or cluster.threads
        return collect(queries, cluster, seconds, Concurrency(count, count), progress)
    finally:
        cluster.close()


def _progress(config: pytest.Config) -> Shown | None:
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    seen = config.option.verbose >= 0 or (config.option.preflight and terminal and terminal.isatty)
    if terminal is None or not seen:
        return None
    return Shown(terminal, config.stash[RUN].redactor)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if RUN not in config.stash:
        return
    evidence = config.stash[RUN].evidence
    for text in remarks(evidence, left_to_openssh(), Words("en")):
        terminalreporter.write_line(text, yellow=True)
    if config.option.probe_durations:
        for seconds, name in by_cost(evidence):
            terminalreporter.write_line(f"{seconds:7.2f} s  {name}")


def pytest_unconfigure(config: pytest.Config) -> None:
    if SHARED in config.stash and not is_worker(config):
        config.stash[SHARED].remove()
