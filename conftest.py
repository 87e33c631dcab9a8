from opsverify import sigint

sigint.guard()

pytest_plugins = ["opsverify.plugin"]
