"""What all tests share."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def pytest_configure(config: pytest.Config) -> None:
    # pytest loads the conftest.py of any test* folder below where it is started, so also for a run of the checks:
    # there, hypothesis need not be installed, and importing it would cost a second.
    if config.rootpath != Path(__file__).parent:
        return
    # Runs of the suite that tests start are none of the CI job that tests it: no annotations, no summary on its page.
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        os.environ.pop(name, None)
    from hypothesis import HealthCheck, settings

    # Machines that run tests are busy at times: generating slowly is no mistake of the code under test.
    settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
    settings.load_profile("shared")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    if config.rootpath != Path(__file__).parent or hasattr(config, "workerinput") or config.option.collectonly:
        return
    if sys.platform == "linux" and not config.option.usepdb:
        from tests.guard import stand_guard

        stand_guard()


FAST = (
    "config",
    "discover/test_difference.py",
    "drills/test_pure.py",
    "evidence",
    "history/test_availability.py",
    "judgements",
    "notify/test_message.py",
    "notify/test_state.py",
    "plugin/test_declared.py",
    "plugin/test_exit_code.py",
    "plugin/test_remedies.py",
    "plugin/test_selection.py",
    "probes/host/test_environment_files.py",
    "probes/host/test_facts.py",
    "probes/host/test_parsers.py",
    "probes/host/test_release_parsers.py",
    "probes/host/test_shell_files.py",
    "probes/host/test_surroundings.py",
    "reference/test_pages.py",
    "reporting/test_terminal.py",
    "reporting/test_text.py",
    "test_architecture.py",
)
"""What starts no servers, hosts, browsers or runs of the suite: all other tests are `slow`."""
EXHAUSTIVE = (
    "checks",
    "crash",
    "drills/test_confinement.py",
    "drills/test_restore.py",
    "history/test_runs.py",
    "hostile",
    "machines",
    "plugin/test_bounds_and_secrets.py",
    "plugin/test_main_job.py",
    "probes/oracles",
    "probes/properties",
    "reporting/test_runs.py",
)
"""What goes through every variation of what a test elsewhere shows once: left out unless `-m` or a path names it."""
ONCE = (
    "checks/test_documents.py",
    "checks/test_privileges.py",
    "crash/test_interrupted.py::test_ctrl_c_at_any_moment[starting-group]",
    "drills/test_confinement.py::test_the_server_runs_in_bounded_memory_and_without_a_network",
    "drills/test_restore.py::test_a_whole_dump_restores_with_its_roles",
    "drills/test_restore.py::test_a_dump_cut_among_rows_restores_without_error_and_is_told",
    "history/test_runs.py::test_a_run_is_recorded_whole_however_many_processes_judged",
    "hostile/test_http.py",
    "machines/test_discover.py::test_a_change_is_told_and_the_operators_own_words_stay",
    "machines/test_discover.py::test_a_gate_is_green_once_its_one_missing_line_is_added",
    "machines/test_discover.py::test_no_secret_leaves_a_host",
    "machines/test_discover.py::test_the_first_file_is_right_nearly_everywhere",
    "machines/test_discover.py::test_what_could_not_be_read_is_never_excused",
    "machines/test_healthy.py::test_a_healthy_host_is_normal",
    "machines/test_unreachable.py::test_sshd_refuses_the_key",
    "plugin/test_bounds_and_secrets.py::test_planted_secrets_are_told_nowhere[arguments0]",
    "plugin/test_bounds_and_secrets.py::test_secrets_are_not_in_the_history",
    "plugin/test_main_job.py::test_the_rehearsal_is_green_and_leaves_nothing_running[arguments0]",
    "probes/oracles/test_environment_files.py::test_node_of_this_machine",
    "probes/oracles/test_version_order.py::test_dpkg",
    "reporting/test_runs.py::test_junit_has_one_case_per_check_with_its_properties",
)
"""Of these, what shows the thing itself, once; and so does the proof of every fault that cannot be rehearsed."""


LONGEST = (
    "crash/test_killed.py",
    "drills/test_restore.py",
    "probes/oracles/test_environment_files.py",
    "probes/host/test_ssh_ways.py",
    "checks/test_edge.py",
    "faults",
    "machines",
    "hostile",
    "crash",
)
"""What takes longest is begun first: a run ends with its slowest file, not with what came last by its name."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.rootpath != Path(__file__).parent:
        return
    from rehearsal.faults import FAULTS

    once = (*ONCE, *(fault.proof.removeprefix("tests/") for fault in FAULTS.values() if fault.proof))
    rank = {prefix: number for number, prefix in enumerate(LONGEST)}

    def begun(item: pytest.Item) -> int:
        place = item.path.relative_to(config.rootpath).as_posix()
        return next((number for prefix, number in rank.items() if place.startswith(prefix)), len(rank))

    items.sort(key=begun)
    for item in items:
        place = item.path.relative_to(config.rootpath).as_posix()
        if not place.startswith(FAST):
            item.add_marker("slow")
        if place.startswith(EXHAUSTIVE) and not f"{place}::{item.nodeid.partition('::')[2]}".startswith(once):
            item.add_marker("exhaustive")
    # What somebody names by its path is asked for.
    named = [Path(config.invocation_params.dir, argument.partition("::")[0]).resolve() for argument in config.args]
    asked = [path for path in named if path != config.rootpath and config.rootpath in path.parents]
    if "exhaustive" in config.option.markexpr or asked:
        return
    left_out = [item for item in items if item.get_closest_marker("exhaustive")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: a third of the time, tests wait for deadlines, not for a processor."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A real Chromium, one for all tests of a process: Playwright cannot be started twice in one."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = next((p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None)
    if program is None:
        pytest.skip("no Chromium on this machine")
    arguments = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    arguments += ["--disable-component-update", "--disable-sync"]
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=arguments)
        yield started
        started.close()
