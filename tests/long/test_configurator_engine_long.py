"""The engine against every machine there is, over many times more random models than the normal run tries."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("module", ["test_configurator_bounds", "test_configurator_engine"])
def test_facts_hold_for_many_models(module: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "--timeout=1700", "-p", "no:cacheprovider", f"tests/unit/{module}.py"]
    run = subprocess.run(command, cwd=ROOT, env={**os.environ, "ENGINE_EXAMPLES_TIMES": "10"}, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-3000:]
