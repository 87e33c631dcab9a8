"""A child process that runs one script (its stdin) through testinfra's ansible or salt connection.

`python -m opsverify.probes.host.testinfra_child URI SSH_CONFIG`: it passes on output and status, and is killed whole
when late.
"""

from __future__ import annotations

import sys


def main(uri: str, config: str) -> int:
    """Run the script; 255 and one line on stderr when the connection fails."""
    from testinfra.backend import get_backend  # type: ignore[import-untyped]

    script = sys.stdin.read()
    try:
        options = {"ssh_config": config} if config else {}
        result = get_backend(uri, **options).run("/bin/sh -c %s", script)
    except Exception as error:  # whatever ansible or salt raise: the parent turns it into one sentence
        print(f"{type(error).__name__}: {str(error)[:2000]}", file=sys.stderr)
        return 255
    sys.stdout.buffer.write(result.stdout_bytes)
    sys.stderr.buffer.write(result.stderr_bytes)
    return int(result.rc)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
