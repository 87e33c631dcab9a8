pytest_plugins = ["opsverify.plugin"]
