"""Exact one-sided 95 % bounds of a proportion (Clopper and Pearson, Biometrika 1934;26:404-13)."""

from math import exp, lgamma, log

_TAIL = 0.05
_HALVINGS = 50


def upper_bound(hits: int, of: int) -> float:
    """Return the highest share that fits `hits` in `of` cases with 95 % confidence.

    Without cases it is 1.0.
    """
    if hits == of:
        return 1.0
    low, high = 0.0, 1.0
    for _half in range(_HALVINGS):
        middle = (low + high) / 2
        if _at_most(hits, of, middle) > _TAIL:
            low = middle
        else:
            high = middle
    return high


def lower_bound(hits: int, of: int) -> float:
    """Return the lowest share that fits `hits` in `of` cases with 95 % confidence.

    Without cases it is 0.0.
    """
    return 1 - upper_bound(of - hits, of)


def _at_most(hits: int, of: int, probability: float) -> float:
    """Return the chance of at most `hits` in `of` independent cases of this probability."""
    yes, no = log(probability), log(1 - probability)
    ways = (lgamma(of + 1) - lgamma(n + 1) - lgamma(of - n + 1) for n in range(hits + 1))
    return sum(exp(way + n * yes + (of - n) * no) for n, way in enumerate(ways))
