"""The reader of danger: how it finds words, and what it takes for now, denied, past, another's."""

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.domain.danger import marked, read
from intake.domain.danger_lexicon import distance_within, sound_of
from intake.domain.danger_words import Danger, Frame, listed

WORDS = Danger(
    concepts={
        "limb": {"en": "leg, foot, calf", "es": "pierna, pie"},
        "cold": {"en": "cold, freezing, like ice", "es": "fria, helada, helado"},
        "breathless": {"en": "<cannot> breathe/breath, short of breath", "es": "falta aire"},
        "cannot": {"en": "cant, cannot, not able to", "es": "no puedo"},
        "chest": {"en": "chest", "es": "pecho"},
        "pain": {"en": "pain, hurts", "es": "dolor, duele"},
        "clot": {"en": "clot, thrombosis", "es": "coagulo"},
        "faint": {"en": "passed out, faint*", "es": "desmay*"},
        "no": {"en": "no, not, never, dont", "es": "no, sin, nunca"},
        "carry": {"en": "have, had, any, sign", "es": "tengo, he, tenido"},
        "or": {"en": "or, nor", "es": "ni"},
        "and": {"en": "and", "es": "y"},
        "until": {"en": "until, except, like this", "es": "hasta"},
        "never_such": {"en": "never had such, no relief", "es": ""},
        "nope": {"en": "no, none", "es": "no"},
        "had": {"en": "had", "es": "tuve"},
        "ago": {
            "en": "NUMBER>14 days ago, NUMBER>2 weeks ago, NUMBER years ago, in YEAR",
            "es": "",
        },
        "now": {"en": "now, today, still, is", "es": "hoy"},
        "fine": {"en": "fine now", "es": ""},
        "kin": {"en": "dad, mom, wife", "es": "papa"},
        "died": {"en": "died of", "es": "murio de"},
        "winter": {"en": "every winter", "es": "cada invierno"},
        "joke": {"en": "cold hard cash", "es": ""},
    },
    frames=(
        Frame(id="cold limb", of=("limb", "cold"), rule="D1", within=4, unless=("winter",)),
        Frame(id="chest pain", of=("chest", "pain"), rule="D2"),
        Frame(id="breathless", of=("breathless",), rule="D2"),
        Frame(id="faint", of=("faint",), rule="D2"),
        Frame(id="clot", of=("clot",), rule="D3", named=True),
    ),
    roles={
        "places": ("limb", "chest"),
        "denies": ("no",),
        "after_no": ("carry",),
        "joins": ("or",),
        "joins_weakly": ("and",),
        "undoes": ("until",),
        "no_denial": ("never_such",),
        "answers_no": ("nope",),
        "had": ("had",),
        "long_ago": ("ago",),
        "now": ("now",),
        "over": ("fine",),
        "relation": ("kin",),
        "history": ("died",),
        "harmless": ("joke",),
    },
    fillers="my, a, the, of, to, its, i, me, el, la, mi, se",
    common="could",
)


def heard(text: str) -> dict[str, str]:
    """Return frame → scope of the first hit, as `now` comes first."""
    found: dict[str, str] = {}
    for hit in read(WORDS, text).found:
        found.setdefault(hit.frame, hit.scope)
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("my leg is cold", {"cold limb": "now"}),
        ("cold the leg is", {"cold limb": "now"}),
        ("leg one two three four five cold", {}),
        ("my leg. its cold", {"cold limb": "now"}),
        ("MY LÉG ÍS CÓLD", {"cold limb": "now"}),
        ("my l\u200deg is c\u00adold", {"cold limb": "now"}),
        ("my lеg is соld", {"cold limb": "now"}),  # Cyrillic letters
        ("my leg is freezng", {"cold limb": "now"}),
        ("my leg is coooold", {"cold limb": "now"}),
        ("my leg could be better", {}),
        ("la pierna elada", {"cold limb": "now"}),
        ("foot felt like ice", {"cold limb": "now"}),
        ("mi foot esta helado", {"cold limb": "now"}),
        ("chestpain", {}),
        ("ihavechestpainandmylegcold", {"chest pain": "now", "cold limb": "now"}),
        ("fainting", {"faint": "now"}),
        ("a leg costs cold hard cash", {}),
    ],
)
def test_words_are_found_as_people_write_them(text: str, expected: dict[str, str]) -> None:
    assert heard(text) == expected


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("no chest pain", "denied"),
        ("I dont have any chest pain", "denied"),
        ("no pain in my chest", "denied"),
        ("no sign of pain or chest pain", "denied"),
        ("no tengo dolor pecho", "denied"),
        ("chest pain? no", "denied"),
        ("dont feel well chest pain", "now"),
        ("never had such chest pain", "now"),
        ("no relief chest pain", "now"),
        ("no chest pain until today", "now"),
        ("never had chest pain like this", "now"),
        ("not good. chest pain", "now"),
        ("no and chest pain", "now"),
    ],
)
def test_only_a_negation_that_reaches_the_sign_denies_it(text: str, scope: str) -> None:
    assert heard(text)["chest pain"] == scope


def test_a_negation_ends_where_the_patient_goes_on() -> None:
    assert heard("no chest pain, leg is cold") == {"chest pain": "denied", "cold limb": "now"}
    assert heard("no chest pain and my leg is cold") == {"chest pain": "denied", "cold limb": "now"}


def test_a_sign_that_begins_with_a_negation_is_not_denied_by_it() -> None:
    assert heard("im not able to breathe") == {"breathless": "now"}
    assert heard("no puedo breath") == {"breathless": "now"}


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("passed out 3 weeks ago", "past"),
        ("passed out 2 weeks ago", "now"),
        ("passed out 14 days ago", "now"),
        ("passed out 15 days ago", "past"),
        ("passed out 2 years ago and today", "now"),
        ("passed out in 2012", "past"),
        ("passed out in 2012 fine now", "past"),
        ("passed out in 2012 and now", "now"),
        ("passed out", "now"),
        ("in 2012 a bypass, passed out", "now"),
    ],
)
def test_past_is_only_what_is_told_with_a_time_long_ago(text: str, scope: str) -> None:
    assert heard(text)["faint"] == scope


@pytest.mark.parametrize(
    ("text", "frame", "scope"),
    [
        ("my dad died of a clot", "clot", "other"),
        ("my dad had a clot", "clot", "other"),
        ("my dad had a clot today", "clot", "now"),
        ("my dad has a clot", "clot", "now"),
        ("my moms foot is cold", "cold limb", "now"),
        ("my wife had chest pain", "chest pain", "now"),
        ("cold foot every winter", "cold limb", "past"),
        ("cold foot every winter now", "cold limb", "now"),
    ],
)
def test_another_persons_danger_needs_words_of_history(text: str, frame: str, scope: str) -> None:
    assert heard(text)[frame] == scope


def test_a_hit_says_the_words_and_where_they_stand() -> None:
    text = "Hélas… my LÉG, 🥶 ﬁne — but no: COLD"
    (hit,) = read(WORDS, text).found
    assert [text[start:end] for start, end in hit.spans] == ["LÉG", "COLD"]
    assert hit.words == "LÉG … COLD"
    assert (hit.frame, hit.rule) == ("cold limb", "D1")


def test_the_marked_text_is_the_text() -> None:
    text = "My leg is cold, no chest pain"
    pieces = marked(text, read(WORDS, text).found)
    assert "".join(piece for piece, _scope in pieces) == text
    assert ("leg", "now") in pieces
    assert ("pain", "denied") in pieces


WORD = st.sampled_from(
    [word for lists in WORDS.concepts.values() for text in lists.values() for word in listed(text)]
)
ODD = st.text(max_size=400) | st.lists(WORD, max_size=40).map(" ".join)


@given(ODD)
def test_any_text_is_read_and_every_hit_lies_in_it(text: str) -> None:
    reading = read(WORDS, text)
    for hit in reading.found:
        assert all(0 <= start < end <= len(text) for start, end in hit.spans)
        assert hit.words
    assert "".join(piece for piece, _scope in marked(text, reading.found)) == text


@given(ODD, st.sampled_from(["foot cold", "chest pain", "passed out", "cant breathe"]))
def test_what_stands_elsewhere_in_the_text_hides_no_danger(text: str, danger: str) -> None:
    """A sentence of its own is heard after any other text, unless this goes on without a stop."""
    assert set(heard(f"{text}. And today: {danger}. ").values()) >= {"now"}


@given(st.text("abcdefg", min_size=1, max_size=9), st.data())
def test_the_distance_counts_slips(word: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(1, len(word)))
    letter = data.draw(st.sampled_from(string.ascii_lowercase))
    assert distance_within(word, word, 0)
    assert distance_within(word, word[:place] + letter + word[place:], 1)
    assert distance_within(word, word[:place] + letter + word[place + 1 :], 1)


def test_words_that_sound_alike_are_equal() -> None:
    pairs = ("vena bena", "hinchada inchada", "siento ciento", "helado elado", "quiero kiero")
    for pair in pairs:
        one, other = pair.split()
        assert sound_of(one) == sound_of(other)


def test_a_thousand_odd_texts_are_read() -> None:
    rng = random.Random(13)
    letters = string.printable + "áéíóúñ¿🩸🆘\u200d\u0301АВС"
    for _ in range(1000):
        read(WORDS, "".join(rng.choices(letters, k=rng.randrange(300))))
