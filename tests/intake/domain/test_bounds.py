"""Bounds of a proportion, held against published values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.domain.bounds import lower_bound, upper_bound


@pytest.mark.parametrize(
    ("hits", "of", "lower", "upper"),
    [
        (0, 20, 0, 0.139108),
        (1, 20, 0.002561, 0.216107),
        (10, 20, 0.301954, 0.698046),
        (20, 20, 0.860892, 1),
        (0, 0, 0, 1),
    ],
)
def test_the_bounds_are_those_of_the_tables(hits, of, lower, upper):
    assert lower_bound(hits, of) == pytest.approx(lower, abs=1e-5)
    assert upper_bound(hits, of) == pytest.approx(upper, abs=1e-5)


def test_none_of_2543_is_at_most_0_118_percent():
    # JMIR 2024;26:e58157 reports 0.1184 %
    assert upper_bound(0, 2543) == pytest.approx(0.001177, abs=1e-5)


@given(st.integers(0, 400), st.integers(0, 400))
def test_the_share_lies_between_its_bounds(hits, others):
    of = hits + others
    assert 0 <= lower_bound(hits, of) <= (hits / of if of else 0.5) <= upper_bound(hits, of) <= 1
