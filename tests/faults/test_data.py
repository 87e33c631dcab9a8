"""Faults of the database and its backups: each turns exactly what it says."""

from tests.faults.exactness import breaking

test_turns_what_it_says_and_nothing_else = breaking("data")
