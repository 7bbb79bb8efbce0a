import time
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from clinic import ids

SYMBOLS = "23456789BCDFGHJKMNPQRTVWXYZ"


def test_a_uuid7_carries_version_variant_and_the_time():
    before = time.time_ns() // 1_000_000
    value = ids.uuid7()
    after = time.time_ns() // 1_000_000
    assert value.version == 7
    assert value.variant == "specified in RFC 4122"
    assert before <= value.int >> 80 <= after


def test_uuid7s_are_distinct_and_sort_in_the_order_they_were_made():
    made = []
    for _ in range(200):
        made.append(ids.uuid7())
        time.sleep(0.000_002)  # longer than the smallest difference that an id can store
    assert len(set(made)) == len(made)
    assert made == sorted(made)


def test_the_fraction_of_the_millisecond_stays_in_its_twelve_bits(monkeypatch):
    monkeypatch.setattr(ids.time, "time_ns", lambda: 1_700_000_000_000_999_999)
    value = ids.uuid7()
    assert value.int >> 80 == 1_700_000_000_000
    assert value.int >> 64 & 0xFFF == 0xFFF
    assert value.version == 7


def test_a_new_reference_is_read_back_as_it_is():
    for _ in range(500):
        reference = ids.new_reference()
        assert len(reference) == 9
        assert reference[4] == "-"
        assert set(reference) <= set(SYMBOLS + "-")
        assert ids.parse_reference(reference) == reference


def test_case_spaces_and_hyphens_do_not_matter():
    reference = ids.new_reference()
    plain = reference.replace("-", "")
    for typed in (
        plain,
        plain.lower(),
        f"  {reference.lower()}\n",
        " ".join(plain),
        plain[:4] + "\u2013" + plain[4:],  # an en dash, as phones type it
        plain[:4] + "\u00a0-\u00a0" + plain[4:],
    ):
        assert ids.parse_reference(typed) == reference


def test_any_single_wrong_symbol_is_found_out():
    # the error-detecting code is linear, so what holds for these references holds for all
    for reference in ("2222-2222", *(ids.new_reference() for _ in range(20))):
        assert ids.parse_reference(reference) == reference
        symbols = reference.replace("-", "")
        for place, symbol in product(range(8), SYMBOLS):
            if symbol != symbols[place]:
                assert ids.parse_reference(symbols[:place] + symbol + symbols[place + 1 :]) is None


def test_any_two_neighbours_swapped_are_found_out():
    # every pair of symbols at every place, whatever the other symbols are
    for place, first, second in product(range(7), SYMBOLS, SYMBOLS):
        if first == second:
            continue
        fill = ["2"] * 8
        fill[place : place + 2] = [first, second]
        free = 0 if place > 0 else 7  # a place outside the pair, to correct the sum
        for symbol in SYMBOLS:
            fill[free] = symbol
            if ids.parse_reference("".join(fill)):
                break
        else:
            raise AssertionError("no reference holds this pair")
        fill[place : place + 2] = [second, first]
        assert ids.parse_reference("".join(fill)) is None


@given(st.text(max_size=20))
def test_whatever_else_is_typed_is_no_reference_or_a_right_one(text):
    parsed = ids.parse_reference(text)
    assert parsed is None or ids.parse_reference(parsed) == parsed


def test_letters_outside_the_alphabet_are_no_reference():
    for typed in ("", "-", "7F3K", "OIL0-1SAE", "2222-222S", "2222-22222", "\u212a222-2222"):
        assert ids.parse_reference(typed) is None


def test_references_are_spread_over_all_symbols():
    made = "".join(ids.new_reference().replace("-", "") for _ in range(2000))
    counts = [made.count(symbol) for symbol in SYMBOLS]
    assert min(counts) > 400
    assert max(counts) < 800
