"""Measure how many names the blind tokens tell to a person who has a dump of the database.

The attacker sends forms with names of their choice, finds the tokens of these forms in the dump,
and looks for the same tokens in the rows of others. The attacker also knows how common names are.
The measure is generous: the attacker knows which token of a form belongs to which word and kind.

Names are drawn as in the United States: the hundred commonest given names are half of all people,
the hundred commonest surnames a sixth; invented names stand for the rest.

    python manage.py shell -c "from tests.intake.dump_attack import *; print(report(2000))"
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

from clinic.secrets.sealing import blind
from intake import search
from intake.search import names

GIVEN = """
James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard
Susan Joseph Jessica Thomas Karen Christopher Sarah Charles Lisa Daniel Nancy Matthew Sandra
Anthony Betty Mark Ashley Donald Emily Steven Kimberly Andrew Margaret Paul Donna Joshua
Michelle Kenneth Carol Kevin Amanda Brian Melissa Timothy Deborah Ronald Stephanie Jason Rebecca
George Sharon Edward Laura Jeffrey Cynthia Ryan Dorothy Jacob Amy Nicholas Kathleen Gary Angela
Eric Shirley Jonathan Emma Stephen Brenda Larry Pamela Justin Nicole Scott Anna Brandon Samantha
Benjamin Katherine Samuel Christine Gregory Debra Alexander Rachel Patrick Carolyn Frank Janet
Raymond Maria Jack Olivia Dennis Heather Jerry Helen
""".split()
SURNAMES = """
Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez
Gonzalez Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris
Sanchez Clark Ramirez Lewis Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill
Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter Roberts Gomez Phillips
Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris Morales Murphy Cook Rogers
Gutierrez Ortiz Morgan Cooper Peterson Bailey Reed Kelly Howard Ramos Kim Cox Ward Richardson
Watson Brooks Chavez Wood James Bennett Gray Mendoza Ruiz Hughes Price Alvarez Castillo Sanders
Patel Myers Long Ross Foster Jimenez
""".split()
WORDS = 6  # of one name, as many as are indexed at most
FORMS = 100

Weights = dict[str, float]
Values = Callable[[str], Iterable[tuple[str, str]]]


@dataclass(frozen=True)
class Scheme:
    """One way to make tokens: those of a name in a row, and what each of its words gives."""

    tokens: Callable[[dict[str, Any]], dict[int, tuple[str, str]]]
    variants: int


def _values(word: str) -> list[tuple[str, str]]:
    folded = names.fold(word)
    return [("prefix", folded[:3]), ("sound", names.sound(folded))]


def _tokens_now(person: dict[str, Any]) -> dict[int, tuple[str, str]]:
    variant = search._variant_of(person)
    values = [v for name in ("name", "proxy_name") for v in search._values(person.get(name, ""))]
    return {search._part(kind, value, variant): (kind, value) for kind, value in values}


def _tokens_before(person: dict[str, Any]) -> dict[int, tuple[str, str]]:
    words = " ".join(person.get(name, "") for name in ("name", "proxy_name")).split()
    return {blind(kind, value): (kind, value) for word in words for kind, value in _values(word)}


NOW = Scheme(_tokens_now, search.VARIANTS)
BEFORE = Scheme(_tokens_before, 1)


def population(rng: Random) -> tuple[Weights, Weights]:
    """Return given names and surnames with their weights."""
    parts = (
        "an ar be bo ca ce da de el en fa fi ga go ha he in ka ko la li ma mi na ne or pa".split()
    )
    ends = "der lin man mer ner rez sen ska son ter ton vic ward well wicz yan zak".split()

    def weights(heads: list[str], share: float, tail: int) -> Weights:
        raw = {name: 1 / (place + 8) for place, name in enumerate(heads)}
        whole = sum(raw.values())
        found = {name: share * weight / whole for name, weight in raw.items()}
        invented: set[str] = set()
        while len(invented) < tail:
            invented.add((rng.choice(parts) + rng.choice(parts) + rng.choice(ends)).capitalize())
        rest = {name: 1 / (place + 100) for place, name in enumerate(sorted(invented))}
        whole = sum(rest.values())
        return found | {name: (1 - share) * weight / whole for name, weight in rest.items()}

    return weights(GIVEN, 0.5, 900), weights(SURNAMES, 0.17, 9000)


def people(rng: Random, count: int, given: Weights, surnames: Weights) -> list[dict[str, Any]]:
    firsts = rng.choices(list(given), list(given.values()), k=count)
    lasts = rng.choices(list(surnames), list(surnames.values()), k=count)
    return [
        {"name": f"{first} {last}", "birth_date": f"{rng.randint(1930, 2005)}-05-{day % 28 + 1:02}"}
        for day, (first, last) in enumerate(zip(firsts, lasts, strict=True))
    ]


def own_forms(scheme: Scheme, given: Weights, surnames: Weights, repeat: int) -> dict[int, Any]:
    """Return the tokens that the attacker learns, if each word is sent `repeat` times."""
    slots = FORMS * WORDS * 2
    each = slots // 2 // repeat

    def commonest(weights: Weights) -> list[str]:
        """Return one name for each beginning, and then the other names, the commonest first."""
        ordered = sorted(weights, key=lambda name: -weights[name])
        first = {names.fold(name)[:3]: name for name in reversed(ordered)}
        chosen = sorted(first.values(), key=lambda name: -weights[name])
        return [*chosen, *(name for name in ordered if name not in first.values())][:each]

    words = [w for pair in zip(commonest(given), commonest(surnames), strict=False) for w in pair]
    sent = words * repeat
    learnt: dict[int, Any] = {}
    for number in range(FORMS):
        mine = sent[number * WORDS * 2 : (number + 1) * WORDS * 2]
        form = {"name": " ".join(mine[:WORDS]), "proxy_name": " ".join(mine[WORDS:])}
        learnt |= scheme.tokens({**form, "birth_date": f"1980-01-{number % 28 + 1:02}"})
    return learnt


def by_frequency(scheme: Scheme, rows: list[set[int]], made: dict[int, Any], weights: Weights):
    """Return what each token means if the commonest token is the commonest value, and so on.

    The attacker knows the kind of each token (`made`).
    """
    counts = Counter(token for row in rows for token in row)
    meaning: dict[int, Any] = {}
    for kind in ("prefix", "sound"):
        expected: Counter[str] = Counter()
        for name, weight in weights.items():
            expected[dict(_values(name))[kind]] += weight  # type: ignore[assignment]
        values = [v for v, _w in expected.most_common() for _variant in range(scheme.variants)]
        ranked = [token for token, _n in counts.most_common() if made[token][0] == kind]
        meaning |= {t: (kind, v) for t, v in zip(ranked, values, strict=False)}
    return meaning


class Guesser:
    """Guess the commonest name that has the most of the known values."""

    def __init__(self, weights: Weights):
        self.by_value: dict[tuple[str, str], list[str]] = {}
        self.weights = weights
        for name in sorted(weights, key=lambda name: -weights[name]):
            for value in _values(name):
                self.by_value.setdefault(value, []).append(name)

    def guess(self, known: set[tuple[str, str]]) -> str:
        fits = Counter(name for value in known for name in self.by_value.get(value, ()))
        return max(fits, key=lambda name: (fits[name], self.weights[name]), default="")


def attack(scheme: Scheme, count: int = 2000, seed: int = 7) -> tuple[float, float]:
    """Return the share of full names found by 100 forms, and of single names by frequency."""
    rng = Random(seed)
    given, surnames = population(rng)
    stored = people(rng, count, given, surnames)
    made: dict[int, Any] = {}
    rows = []
    for person in stored:
        found = scheme.tokens(person)
        made |= found
        rows.append(set(found))
    first, last = Guesser(given), Guesser(surnames)

    def right(meaning: dict[int, Any]) -> tuple[float, float]:
        full = single = 0
        for person, row in zip(stored, rows, strict=True):
            known = {meaning[token] for token in row if token in meaning}
            real = person["name"].split()
            hits = [first.guess(known) == real[0], last.guess(known) == real[1]]
            full, single = full + all(hits), single + sum(hits)
        return full / count, single / count / 2

    # to know a word whole, the attacker has to send it as often as it has variants
    repeats = sorted({1, scheme.variants // 4 or 1, scheme.variants // 2 or 1, scheme.variants})
    by_forms = max(right(own_forms(scheme, given, surnames, n))[0] for n in repeats)
    both = Counter(given) + Counter(surnames)  # type: ignore[arg-type]
    return by_forms, right(by_frequency(scheme, rows, made, dict(both)))[1]


def report(count: int = 2000) -> str:
    lines = []
    for name, scheme in (("before", BEFORE), ("now", NOW)):
        full, single = attack(scheme, count)
        lines.append(f"{name}: {full:.1%} of full names by {FORMS} forms, ")
        lines.append(f"{single:.1%} of single names by frequency\n")
    return "".join(lines)
