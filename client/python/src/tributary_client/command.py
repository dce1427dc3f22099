"""`tributary-client enrol` and `rotate`: a client's key."""

from __future__ import annotations

import argparse
import os
import sys

from .client import Client
from .enrolment import enrol
from .errors import TributaryError


def main(args: list[str] | None = None) -> int:
    given = _parser().parse_args(args)
    try:
        if given.command == "rotate":
            client = Client.from_key_file(given.key)
            client.rotate_key()
            print(f"client {client.name} signs with a new key, in {given.key}")
        else:
            enrol(given.endpoint, given.code, given.client, given.out)
            print(f"client {given.client} is enrolled; its key is in {given.out}: keep it secret")
    except (TributaryError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tributary-client", description="Take part in a Tributary federation.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser(
        "enrol",
        aliases=["enroll"],
        help="register a new key with an invitation's one-time code, and write a key file",
        description="The key is made here. If the answer gets lost, run it again: the key waits in FILE.next.",
    )
    command.add_argument("--endpoint", required=True, help="the API's address, as the operator gave it")
    # In the environment, other users of the machine do not see it in its list of processes.
    code = os.environ.get("TRIBUTARY_CODE")
    command.add_argument("--code", default=code, required=code is None, help="the one-time code, or TRIBUTARY_CODE")
    command.add_argument("--client", required=True, help="the name that the invitation is for")
    command.add_argument("--out", required=True, metavar="FILE", help="key file to write")
    command = commands.add_parser(
        "rotate", help="replace a client's key by a new one; the old one is refused from then on"
    )
    command.add_argument("--key", required=True, metavar="FILE", help="key file, which is replaced")
    return parser


if __name__ == "__main__":
    sys.exit(main())
