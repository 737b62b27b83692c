"""Run the simulator: `python -m fulfillment.billing.simulator --port 0 --state var/stripe.db --child`.

Prints `READY http://127.0.0.1:PORT` once it serves. With `--child` it ends when its standard input closes,
which happens however its parent dies.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from pathlib import Path

from fulfillment.billing.simulator.server import Simulator
from fulfillment.billing.simulator.state import StateInUse


def main() -> int:
    """Parse the arguments and serve."""
    parser = argparse.ArgumentParser(prog="simulator", description="A Stripe-compatible provider on loopback.")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--state", type=Path, required=True, help="SQLite file that holds everything")
    parser.add_argument("--child", action="store_true", help="end when standard input closes")
    options = parser.parse_args()
    try:
        simulator = Simulator(options.state, options.port)
    except (StateInUse, OSError) as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 1
    if options.child:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.stdout.write(f"READY {simulator.url}\n")
    sys.stdout.flush()
    simulator.serve()
    return 0


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os._exit(0)


if __name__ == "__main__":
    raise SystemExit(main())
