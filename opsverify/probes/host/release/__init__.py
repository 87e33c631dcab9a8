"""What is deployed on the host: commit, build, packages, migrations."""
