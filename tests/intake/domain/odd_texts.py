"""Odd texts for the reader of danger, and how long the reader takes.

    .venv/bin/python -m tests.intake.domain.odd_texts [COUNT]

reads 100,000 of them and prints the time that 2,000 characters take: of an ordinary account, of
sentences that name one danger after the other, of a leaflet that names each, and of odd texts.
"""

import random
import string
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from intake.domain.danger import marked, read
from intake.domain.danger_words import Danger, listed
from intake.protocols import HERE, from_folder

_LETTERS: Final = string.printable + "áéíóúñ¿¡🩸🆘😀\u200d\u0301\u00adАВСе"
_ORDINARY: Final = (
    "I have had restless legs for about ten years and they keep me awake at night. My mother had"
    " the same. I tried magnesium and stretching, but nothing works for long, so I would like to"
    " know whether iron helps. "
)
_LEAFLET: Final = (
    "Call 911 at once for chest pain, trouble breathing, coughing up blood, fainting, a cold, pale,"
    " blue or numb leg, sudden weakness of the face, arm or leg, trouble speaking, a vein that"
    " bleeds and does not stop, black stools, a swollen calf, fever with a red hot leg, a black"
    " toe, a severe headache, loss of vision, or thoughts of suicide. "
)
CORPUS: Final = Path(__file__).with_name("corpus")


def odd_texts(danger: Danger, count: int, seed: int = 13) -> Iterator[str]:
    """Yield texts of odd letters, of the reader's own words, and of both."""
    rng = random.Random(seed)
    lists = danger.concepts.values()
    phrases = [phrase for by in lists for text in by.values() for phrase in listed(text)]
    for number in range(count):
        size = rng.randrange(60)
        match number % 4:
            case 0:
                yield "".join(rng.choices(_LETTERS, k=5 * size))
            case 1:
                yield " ".join(rng.choices(phrases, k=size // 3))
            case 2:
                yield rng.choice(phrases)[:1] * size
            case _:
                words = rng.choices([*phrases, ",", ".", "no", "?", "and"], k=size // 2)
                yield rng.choice(("", " ", "\u200d", "-")).join(words)


def check(danger: Danger, text: str) -> None:
    """Read a text. Raises AssertionError when a hit lies outside of it, or a letter is lost."""
    found = read(danger, text).found
    assert all(0 <= start < end <= len(text) for hit in found for start, end in hit.spans), text
    assert "".join(piece for piece, _scope in marked(text, found)) == text, text


def milliseconds(danger: Danger, text: str) -> float:
    """Return the least time that one reading takes, in milliseconds of this process."""
    times = []
    for _ in range(30):
        begin = time.process_time()
        read(danger, text)
        times.append(time.process_time() - begin)
    return min(times) * 1000


def main(arguments: list[str]) -> int:
    danger = from_folder(HERE / "legs").danger
    assert danger is not None
    count = int(arguments[0]) if arguments else 100_000
    for text in odd_texts(danger, count):
        check(danger, text)
    sentences = (CORPUS / "en_tuned_on.tsv").read_text(encoding="utf-8").replace("\n", " ")
    for name, text in (
        ("an ordinary account", _ORDINARY * 10),
        ("one danger after the other", sentences),
        ("a leaflet that names every danger", _LEAFLET * 5),
        ("the same two words", "cold leg " * 250),
        ("one letter", "a" * 2000),
        ("one emoji of blood", "🩸" * 2000),
        ("emoji, mixed", "🩸🆘😀😭🦵❤️💀" * 300),
        ("words that nobody knows", " ".join(map("q{:08x}".format, range(220)))),
    ):
        took = milliseconds(danger, text[:2000])
        sys.stdout.write(f"{took:6.2f} ms for 2,000 characters: {name}\n")
    sys.stdout.write(f"{count} odd texts are read.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
