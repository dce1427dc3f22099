from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "test" / "vectors"))  # codec.py, an independent reader of encoded updates
# Where Flower is installed, its adapter is tested against it; elsewhere against a stand-in of its documented interface.
if importlib.util.find_spec("flwr") is None:
    sys.path.insert(0, str(Path(__file__).parent / "stand_in"))


@pytest.fixture(scope="session")
def vectors() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "test" / "vectors" / "wire" / "client-wire.json").read_text())
    return found


@pytest.fixture(scope="session")
def graphs() -> Path:
    """Training packages, and what Tributary's TypeScript trainer makes of them: test/client/python-suite.test.ts."""
    folder = os.environ.get("TRIBUTARY_GRAPHS")
    if not folder:
        pytest.skip("TRIBUTARY_GRAPHS is not set: run npx vitest run --project unit test/client/python-suite.test.ts")
    return Path(folder)
