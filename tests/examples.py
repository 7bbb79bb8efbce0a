"""How many examples a property test draws: `make laws` draws ten times as many as each run."""

import os

TIMES = int(os.environ.get("CLINIC_EXAMPLES", "1"))


def examples(number: int) -> int:
    """Return how many examples to draw where a run of all tests draws `number`."""
    return number * TIMES
