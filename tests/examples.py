"""How many examples a property test draws: `make laws` draws ten times the usual number."""

import os

TIMES = int(os.environ.get("CLINIC_EXAMPLES", "1"))


def examples(number: int) -> int:
    """Return how many examples to draw: `number`, or ten times `number` under `make laws`."""
    return number * TIMES
