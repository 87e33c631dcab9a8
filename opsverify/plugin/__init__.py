"""The pytest plugin, in parts: each registers its own hooks.

options    options, configuration, reports, exit code       starting   from the command line to a run
aiming     one test per check and target                    waiving    known failures
gathering  evidence before the first test                   fixtures   nouns and `expect` as arguments
outcomes   what a check's end means, in one sentence        breaking   faults of the rehearsal, on purpose
state      what the parts share
"""

pytest_plugins = [
    "opsverify.plugin.options",
    "opsverify.plugin.breaking",
    "opsverify.plugin.aiming",
    "opsverify.plugin.gathering",
    "opsverify.plugin.fixtures",
    "opsverify.plugin.outcomes",
    "opsverify.plugin.waiving",
]
