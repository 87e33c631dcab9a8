"""Faults that no rehearsal can have, since its machine is somebody's own: tests with stand-ins prove them."""

from __future__ import annotations

from rehearsal.faults.fault import ALERT, WARNING, elsewhere

elsewhere(
    "journal-errors",
    "The backend's unit failed, and the system journal is full of I/O errors.",
    {"service-journal-errors": ALERT, "system-log-errors": ALERT},
    "tests/checks/test_units.py::test_errors_in_a_journal_are_told",
)
elsewhere(
    "container-unhealthy",
    "A container is not well by its own health check.",
    {"container-health": ALERT},
    "tests/checks/test_containers.py::test_containers_in_every_state",
)
elsewhere(
    "journal-silent",
    "Nothing was written to the journal for a day.",
    {"service-journal-errors": WARNING, "system-log-errors": WARNING},
    "tests/checks/test_units.py::test_dead_and_hidden_journals_are_no_good_ones",
)
elsewhere(
    "dependency-vulnerable",
    "The registry knows a serious vulnerability of an installed package.",
    {"dependency-audit": ALERT},
    "tests/checks/test_dependency_audit.py::test_vulnerability_of_each_severity",
)
elsewhere(
    "security-update-pending",
    "A security update of the operating system is waiting.",
    {"security-patches": ALERT},
    "tests/checks/test_security_patches.py::test_a_security_update_is_pending",
)
elsewhere(
    "clock-adrift",
    "A time service runs, and reaches none of its servers.",
    {"time-synchronised": ALERT},
    "tests/checks/test_time_service.py::test_chrony_without_servers",
)
elsewhere(
    "automatic-updates-fail",
    "Unattended upgrades are switched on, and have not ended well for a week.",
    {"automatic-updates": ALERT},
    "tests/checks/test_automatic_updates.py::test_apt_that_updates_itself",
)
elsewhere(
    "accounts-nobody-expects",
    "Accounts that nobody named may log in or become root.",
    {"access-rights": ALERT},
    "tests/checks/test_access.py::test_accounts_of_this_machine",
)
elsewhere(
    "password-policy-lax",
    "The operating system lets short passwords be used for ever.",
    {"password-policy": ALERT},
    "tests/checks/test_access.py::test_password_policy_of_this_machine",
)
elsewhere(
    "health-check-timer-stopped",
    "The systemd timer of the health check is not active.",
    {"health-check-scheduled": ALERT},
    "tests/checks/test_units.py::test_timer_of_the_health_check",
)
elsewhere(
    "cron-stopped",
    "No cron daemon runs on a host whose health check and backup are lines of a crontab.",
    {"health-check-scheduled": ALERT, "scheduled-jobs": ALERT},
    "tests/checks/test_units.py::test_a_schedule_whose_scheduler_is_stopped",
)
