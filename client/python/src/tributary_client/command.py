"""`tributary-client enrol`: makes a key and a key file from an invitation."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .errors import TributaryError
from .identity import ClientKey, enrol


def main(args: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tributary-client", description="Take part in a Tributary federation.")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("enrol", help="register a new key with an invitation and write a key file")
    command.add_argument("--endpoint", required=True, help="the API's address, as the operator gave it")
    command.add_argument("--code", required=True, help="the one-time code")
    command.add_argument("--client", required=True, help="the name that the invitation is for")
    command.add_argument("--out", required=True, help="key file to write; keep it secret")
    given = parser.parse_args(args)
    try:
        if Path(given.out).exists():  # From an earlier try whose answer was lost.
            key, _ = ClientKey.load(given.out)
        else:
            key = ClientKey.generate(given.client)
            key.save(given.out, given.endpoint)
        enrol(given.endpoint, given.code, given.client, key=key)
    except (TributaryError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{given.client} is enrolled; its key is in {given.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
