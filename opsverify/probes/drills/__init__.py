"""Restore drills: backups put to use on scratch resources of this machine, which are gone again afterwards.

`restore_probe` restores the newest dump into a PostgreSQL of its own, `unpack_probe` unpacks the newest archive; both
fetch it from its host through that host's connection. They take minutes, so each is a probe of its own.
"""

from __future__ import annotations

from opsverify.probes.drills.agreement import Agreement, Deviation, agreement, named
from opsverify.probes.drills.manifest import DumpManifest
from opsverify.probes.drills.reference import contents_probe
from opsverify.probes.drills.restore import Restored, RestoreDrill, restore_probe
from opsverify.probes.drills.unpack import UnpackDrill, Unpacked, unpack_probe

__all__ = [
    "Agreement",
    "Deviation",
    "DumpManifest",
    "RestoreDrill",
    "Restored",
    "UnpackDrill",
    "Unpacked",
    "agreement",
    "contents_probe",
    "named",
    "restore_probe",
    "unpack_probe",
]
