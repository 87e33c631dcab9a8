"""One file per schema version. They stay as they were: what they build must not follow later changes of the code.

SQLite checks foreign keys while they run, so a migration that rebuilds `runs` (Alembic's batch mode) would delete
what hangs on it: rebuild the tables that refer to it first, or only add.
"""
