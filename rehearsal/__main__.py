"""`python -m rehearsal serve`: keep a rehearsal up."""

from __future__ import annotations

import argparse
import sys


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal", description="A stand-in My Cats made of real parts.")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="keep a rehearsal up until Ctrl-C")
    serve.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="for programs: print its variables as one JSON line, end when standard input closes",
    )
    chosen = parser.parse_args(arguments)
    from rehearsal.supervisor import serve_all, serve_one_caller

    return serve_one_caller() if chosen.until_stdin_closes else serve_all()


if __name__ == "__main__":
    sys.exit(main())
