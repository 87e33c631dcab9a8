"""Queries grouped, run at the same time, and bounded in time. See `opsverify.evidence.collect`."""
