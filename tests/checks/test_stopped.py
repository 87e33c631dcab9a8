"""An emergency stop: down is what the host says, and what a killed wrapper leaves behind is not down."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from rehearsal.whole import Rehearsal

STOPPED = ("-m", "stopped")
BLUE = "test_application_stopped[backend-blue]"
GREEN = "test_application_stopped[backend-green]"
DATABASE = "test_database_stopped[postgresql]"
PAGE = "test_maintenance_page[public]"


@pytest.fixture(scope="module", autouse=True)
def _stopped(whole: Rehearsal) -> None:
    """Everything but the proxy, which shows the maintenance page."""
    whole.health_checks.stop()
    for part in (*whole.frontends.values(), *whole.backends.values(), whole.postgres):
        part.stop()
    whole.proxy.maintenance(on=True)


def test_system_that_is_down_is_as_it_should_be(verify):
    done = verify(*STOPPED)
    assert {name: seen.verdict for name, seen in done.found.items()} == dict.fromkeys(done.found, "normal"), done.output
    assert done.code == 0
    assert len(done.found) == 6
    assert "503 text/html, title 'メンテナンス中', Retry-After 600 s" in done[PAGE].observed
    assert "connection refused" in done[BLUE].observed
    assert "connection refused" in done[DATABASE].observed


def test_what_still_runs_is_named(whole, verify):
    whole.postgres.start()
    whole.backends["green"].start()
    try:
        done = verify(*STOPPED)
    finally:
        whole.backends["green"].stop()
        whole.postgres.stop()
    assert done[BLUE].verdict == "normal"
    assert done[GREEN].verdict == done[DATABASE].verdict == "alert"
    port = whole.backends["green"].port
    assert f"port {port} open on the host (127.0.0.1), held by node" in done[GREEN].sentence
    assert "(node dist/main) still works in" in done[GREEN].sentence
    assert "postmaster.pid alive" in done[DATABASE].sentence
    assert "accepts connections" in done[DATABASE].sentence


def test_killing_the_wrapper_leaves_node_serving(whole, verify):
    backend = whole.backends["blue"]
    backend.start()
    pid = backend.pid
    ended = subprocess.Popen(["true"])
    ended.wait()
    # What `kill $(cat backend.pid)` does where the file names pnpm: the file's process is gone, node is not.
    backend.pid_file.write_text(f"{ended.pid}\n")
    try:
        seen = verify(*STOPPED, "-k", "application_stopped")[BLUE]
    finally:
        backend.stop()
    assert seen.verdict == "alert"
    assert f"held by node (process {pid})" in seen.sentence
    assert str(backend.pid_file) not in seen.sentence  # as far as the file can tell, it is stopped


def test_node_process_that_listens_no_more_is_not_gone(whole, verify):
    hung = subprocess.Popen(
        [whole.variables()["REHEARSAL_NODE"], "-e", "setInterval(() => {}, 1000)"],
        cwd=whole.layout.checkout_of("green") / "backend",
    )
    try:
        done = verify(*STOPPED, "-k", "application_stopped")
    finally:
        hung.kill()
        hung.wait()
    assert [name for name, seen in done.found.items() if seen.verdict == "alert"] == [GREEN]
    assert f"process {hung.pid}" in done[GREEN].sentence


def test_node_process_that_may_not_be_seen_is_not_known_to_be_a_stranger(whole, verify, tmp_path, monkeypatch):
    # As for an account that is neither root nor the service's own.
    blind = tmp_path / "bin" / "readlink"
    blind.parent.mkdir()
    blind.write_text(f'#!/bin/sh\ncase "$*" in /proc/*/cwd) exit 1;; esac\nexec {shutil.which("readlink")} "$@"\n')
    blind.chmod(0o755)
    monkeypatch.setenv("PATH", f"{blind.parent}:{os.environ['PATH']}")
    hung = subprocess.Popen([whole.variables()["REHEARSAL_NODE"], "-e", "setInterval(() => {}, 1000)"], cwd="/")
    try:
        done = verify(*STOPPED, "-k", "application_stopped")
    finally:
        hung.kill()
        hung.wait()
    assert done.code == 1
    assert {seen.verdict for seen in done.found.values()} == {"undetermined"}, done.output
    assert f"process {hung.pid} (" in done[BLUE].sentence
    assert "use the service's own account or root" in done[BLUE].sentence


def test_wrong_address_is_not_taken_for_a_stopped_one(whole, verify, changed):
    whole.backends["blue"].start()
    elsewhere = changed({"apis": {"blue": {"url": "http://nowhere.invalid:3004"}}})
    try:
        seen = verify(*STOPPED, "-k", "application_stopped", environment=elsewhere)[BLUE]
    finally:
        whole.backends["blue"].stop()
    assert seen.verdict == "alert"


def test_unit_that_does_not_exist_is_not_taken_for_a_stopped_one(verify, changed):
    typo = changed({"services": {"postgresql": {"pid_file": None, "unit": "no-such-unit"}}})
    seen = verify(*STOPPED, "-k", "database_stopped", environment=typo)[DATABASE]
    assert seen.verdict == "undetermined"
    assert "could not be determined" in seen.sentence


def test_users_must_get_a_page_and_not_an_error(whole, verify, changed):
    only = (*STOPPED, "-k", "maintenance_page")
    wanted = changed({"checks": {"maintenance-page": {"settings": {"contains": "20:00"}}}})
    assert "expected a page that holds '20:00'" in verify(*only, environment=wanted)[PAGE].sentence
    whole.proxy.maintenance(on=False)
    try:
        error = verify(*only)[PAGE]
        whole.proxy.stop()
        gone = verify(*only)[PAGE]
    finally:
        whole.proxy.start()
        whole.proxy.maintenance(on=True)
    assert error.verdict == gone.verdict == "alert"
    assert "502 text/html, title '502 Bad Gateway'" in error.sentence
    assert "connection refused" in gone.sentence


def test_plain_run_does_not_ask_a_system_to_be_down(verify):
    done = verify("-k", "stopped and not retired")
    assert (done.code, done.found) == (5, {})
    assert "Left out, as they run only when asked for: 6 of -m stopped" in done.output
