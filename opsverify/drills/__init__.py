"""Restore drills: backups put to use on scratch resources of this machine, which are gone again afterwards.

`restore_probe` restores the newest dump into a PostgreSQL of its own, `unpack_probe` unpacks the newest archive; both
fetch it from its host through that host's connection. They take minutes, so each is a probe of its own.
"""
