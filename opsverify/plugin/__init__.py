"""The pytest plugin, in parts: each registers its own hooks.

options        options, configuration, reports     startup            from the command line to a run
parametrize    one test per check and target       evidence           collected before the first test
fixtures       facts and `expect` as arguments     outcomes           what a check's end means, in one sentence
waivers        known failures                      faults             of the rehearsal, on purpose
selection      what must be asked for by name      first_diagnostics  what a failure brings along from its host
exit_code      what a deployment pipeline trusts   declared           checks without a function
interruption   Ctrl-C while pytest starts          failures           that no test found
notifications  who is told                         state              what the parts share
default_environment  which one, where the command line names none
ahead          before a run: plan, preflight, explain
"""

pytest_plugins = [
    "opsverify.plugin.interruption",
    "opsverify.plugin.default_environment",
    "opsverify.plugin.options",
    "opsverify.plugin.ahead",
    "opsverify.plugin.faults",
    "opsverify.plugin.parametrize",
    "opsverify.plugin.evidence",
    "opsverify.plugin.fixtures",
    "opsverify.plugin.outcomes",
    "opsverify.plugin.notifications",
    "opsverify.plugin.waivers",
]
