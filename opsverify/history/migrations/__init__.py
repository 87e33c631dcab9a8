"""Alembic's migrations of the history, run by `opsverify.history.store`."""
