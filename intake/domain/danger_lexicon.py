"""Turn the words of danger into tables, so that a text is read in one pass.

A word of a text that is in no table may be a slip: it stands for a word of the tables with the same
first letter that differs by one letter (from 4 letters) or by two (from 8 letters). Two letters
that changed places count as one. Words that the clinic's texts use otherwise are no slips.
Spanish words are found by their sound, too: `bena` is `vena`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from typing import Final, NamedTuple

from intake.domain.danger_words import NUMBERS, PART, Danger, listed

TOKEN: Final = re.compile(r"\d+[.,]\d+|[^\W_]+(?:'[^\W_]+)*|([\U0001F000-\U0001FAFF])\1*|[^\w\s]")
"""A number, a word, all of the same emoji in a row, or one sign of punctuation."""
FIRST_EMOJI: Final = "\U0001f000"
_MOST_CHUNKS: Final = 10_000
_ONE_SLIP: Final = 4
_TWO_SLIPS: Final = 8
_LONGEST: Final = 40
JOINED: Final = 14
"""From this length on an unknown word may be several words without spaces."""
_LONGEST_JOINED: Final = 200
_REPEATED: Final = re.compile(r"(.)\1{2,}")
_DOUBLED: Final = re.compile(r"(.)\1")
_ENDINGS: Final = {
    "en": ("", "s", "ed", "ing", "in", "y"),
    "es": ("", "o", "a", "os", "as", "e", "ada", "ado", "ando", "aron"),
}
"""Language → what a slip may stand for at the end of a word such as `faint*`."""
_SOUNDS: Final = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        ("qu(?=[ei])|k|c(?=[^eih]|$)", "q"),
        ("(?<!c)h", ""),
        ("v", "b"),
        ("ll", "y"),
        ("z|c(?=[ei])|x", "s"),
        ("g(?=[ei])", "j"),
        (r"n(?=[bp])", "m"),
        (r"(.)\1+", r"\1"),
    )
)


class Node:
    """A place in the phrases: the concepts that end here, and what may follow."""

    __slots__ = ("below", "ends")

    def __init__(self) -> None:
        self.ends: list[str] = []
        self.below: dict[str, Node] = {}


class Begins(NamedTuple):
    """What a word begins in a trie: the concepts that it ends, too, and nodes with more below."""

    concepts: tuple[str, ...]
    nodes: tuple[Node, ...]


class Word(NamedTuple):
    """A word of a text. `symbols` are what it stands for in phrases, also as a part of others.

    `begins` has for each trie what the word begins there, or None.
    """

    text: str
    symbols: tuple[str, ...]
    begins: tuple[Begins | None, ...]
    is_filler: bool
    is_patient: bool


class Chunk(NamedTuple):
    """What stands between two spaces of a text.

    `words` are its words, each with the punctuation before the word and the number of its token.
    `mark` is the punctuation after the last word, and `tokens` the number of tokens.
    """

    words: tuple[tuple[str, Word, int], ...]
    mark: str
    tokens: int


class Chunks(dict[str, Chunk]):
    """The chunks that texts have had so far. Equal words of these are one object."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._words: dict[str, Word] = {}
        self._tokens: dict[str, tuple[Word, ...] | None] = {}

    def __missing__(self, chunk: str) -> Chunk:
        words: list[tuple[str, Word, int]] = []
        mark, number = "", -1
        for number, match in enumerate(TOKEN.finditer(chunk)):
            token = match[0]
            if token >= FIRST_EMOJI:
                token = token[:2]
            if token not in self._tokens:
                self._tokens[token] = self._read(token)
            if (found := self._tokens[token]) is None:
                mark += token
                continue
            for word in found:
                words.append((mark, word, number))
                mark = ""
        read = Chunk(tuple(words), mark, number + 1)
        if len(chunk) <= _LONGEST:
            self[chunk] = read
        return read

    def _read(self, token: str) -> tuple[Word, ...] | None:
        """Return the words of a token; None for punctuation."""
        lexicon = self._lexicon
        if token >= FIRST_EMOJI:
            words = list(token) if lexicon.symbols(token[0]) else []
        elif not token[0].isalnum():
            return None
        elif "'" in token:
            words = [token.replace("'", "")]
        else:
            words = lexicon.joined(token)
        return tuple(self._word(word) for word in words)

    def _word(self, text: str) -> Word:
        if text not in self._words:
            self._words[text] = self._lexicon.word(text)
        return self._words[text]


class Lexicon:
    """The tables of one `Danger`. `own_words` are the words of the clinic's texts."""

    def __init__(self, danger: Danger, own_words: frozenset[str]) -> None:
        self.danger = danger
        self.fillers = frozenset(listed(danger.fillers))
        self.patient = frozenset(listed(danger.patient))
        self._words: dict[str, None] = {}
        self._prefixes: dict[str, str] = {}
        heard = frozenset(danger.heard)
        self.tries = self._trie(heard), self._trie(danger.concepts.keys() - heard)
        """The phrases by their first word: of the concepts that frames read, and of all others.

        The second are searched only in a text with a frame.
        """
        named = set().union(*map(danger.parts, danger.concepts))
        self.parts = {concept: f"<{concept}>" for concept in sorted(named)}
        """The concepts that phrases name."""
        self._lengths = sorted({len(prefix) for prefix in self._prefixes})
        self.known = frozenset(self._words) | self.fillers
        self._table: dict[str, tuple[str, ...]] = {}
        self._spared = own_words | frozenset(listed(danger.common))
        self._slips = self._near_words()
        self._by_sound = {
            sound_of(word): word
            for word in sorted(set(self._correctable(("es",))))
            if len(word) >= _ONE_SLIP
        }
        for word in (*self.known, *self._spared):
            self._table[word] = self._looked_up(word)
        self._chunks = Chunks(self)

    @property
    def chunks(self) -> Chunks:
        """The chunks that texts have had so far: a bounded memory, from which nothing differs."""
        if len(self._chunks) > _MOST_CHUNKS:
            self._chunks = Chunks(self)
        return self._chunks

    def word(self, text: str) -> Word:
        """Return what a word stands for."""
        symbols = list(self.symbols(text))
        begins: list[Begins | None] = []
        for trie in self.tries:
            nodes: list[Node] = []
            concepts: dict[str, None] = {}
            for symbol in symbols:  # the list grows during the loop
                if (node := trie.get(symbol)) is None:
                    continue
                nodes += [node] if node.below else []
                for concept in node.ends:
                    if concept not in concepts and concept in self.parts:
                        symbols.append(self.parts[concept])
                    concepts[concept] = None
            found = Begins(tuple(concepts), tuple(nodes))
            begins.append(found if concepts or nodes else None)
        is_filler = text in self.fillers
        return Word(text, tuple(symbols), tuple(begins), is_filler, text in self.patient)

    def symbols(self, word: str) -> tuple[str, ...]:
        """Return what a word of a text stands for in the phrases; nothing for other words."""
        known = self._table.get(word)
        return self._looked_up(word) if known is None else known

    def _looked_up(self, word: str) -> tuple[str, ...]:
        if word[0].isdecimal() and word.replace(".", "", 1).replace(",", "", 1).isdecimal():
            return self._number(word)
        found = self._exact(word)
        if found or word in self._spared or len(word) < _ONE_SLIP or len(word) > _LONGEST:
            return found
        meant = self._meant(word)
        return self._exact(meant) if meant else ()

    def joined(self, word: str) -> list[str]:
        """Return the words in a row of letters without spaces; the row itself if there are none."""
        if not JOINED <= len(word) <= _LONGEST_JOINED or self.symbols(word):
            return [word]
        best: list[tuple[int, list[str]]] = [(0, [])]
        for end in range(1, len(word) + 1):
            cost, words = best[end - 1]
            choice = (cost + 4, [*words, ""])
            for start in range(max(0, end - 14), end):
                part = word[start:end]
                if part in self.known or part in self._spared:
                    cost, words = best[start]
                    if cost + 1 < choice[0]:
                        choice = (cost + 1, [*words, part])
            best.append(choice)
        cost, words = best[-1]
        return [part for part in words if part] if cost * 3 < len(word) else [word]

    def _trie(self, concepts: Set[str]) -> dict[str, Node]:
        top = Node()
        for layer in self.danger.layers:
            for concept in layer:
                if concept in concepts:
                    for phrase in self.danger.phrases(concept):
                        self._add(top, phrase, concept)
        return top.below

    def _add(self, top: Node, phrase: tuple[tuple[str, ...], ...], concept: str) -> None:
        nodes = [top]
        for alternatives in phrase:
            symbols = [self._symbol(word) for word in alternatives]
            nodes = [node.below.setdefault(s, Node()) for node in nodes for s in symbols]
        for node in nodes:
            if node is not top and concept not in node.ends:
                node.ends.append(concept)

    def _symbol(self, word: str) -> str:
        if part := PART.fullmatch(word):
            return f"<{part[1]}>"
        if word.endswith("*"):
            self._prefixes[word[:-1]] = word
        elif word not in NUMBERS:
            self._words[word] = None
        return word

    def _exact(self, word: str) -> tuple[str, ...]:
        found = [word] if word in self._words else []
        for length in self._lengths:
            if length > len(word):
                break
            if word[:length] in self._prefixes:
                found.append(f"{word[:length]}*")
        return tuple(found)

    def _number(self, word: str) -> tuple[str, ...]:
        number = float(word.replace(",", ".", 1)) if len(word) <= 6 else 0
        found = [*self._exact(word), "NUMBER"]
        found += [f"NUMBER>{least}" for least in (2, 14) if number > least]
        if 38 <= number <= 42 or 100 <= number <= 107:
            found.append("FEVER")
        if len(word) == 4 and 1900 <= number < 2100:
            found.append("YEAR")
        return tuple(found)

    def _meant(self, word: str) -> str | None:
        """Return the word that a slip stands for, or None."""
        squeezed = _REPEATED.sub(r"\1\1", word)
        for shorter in (squeezed, _DOUBLED.sub(r"\1", squeezed)):
            if shorter != word and shorter in self._words:
                return shorter
        if squeezed in self._spared:
            return None
        if (meant := self._by_sound.get(sound_of(squeezed))) is not None:
            return meant
        limit = 2 if len(squeezed) >= _TWO_SLIPS else 1
        near_words = self._slips.keys() & _without_letters(squeezed, limit)
        # in a fixed order, the longest first: sets have another order in each process
        for near in sorted(near_words, key=lambda part: (-len(part), part)):
            for candidate in self._slips[near]:
                allowed = min(limit, 2 if len(candidate) >= _TWO_SLIPS else 1)
                if distance_within(squeezed, candidate, allowed):
                    return candidate
        return None

    def _correctable(self, languages: tuple[str, ...]) -> Iterator[str]:
        """Yield the words that a slip may stand for: those of the concepts that frames read."""
        for concept in self.danger.heard:
            for language in languages:
                for phrase in listed(self.danger.concepts[concept].get(language, "")):
                    for word in re.split(r"[ /]", phrase):
                        if word.endswith("*"):
                            yield from (word[:-1] + ending for ending in _ENDINGS[language])
                        elif word.isalpha() and word not in self.fillers:
                            yield word

    def _near_words(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for word in sorted(set(self._correctable(("en", "es")))):
            if len(word) >= _ONE_SLIP:
                for near in _without_letters(word, 2 if len(word) >= _TWO_SLIPS else 1):
                    found.setdefault(near, []).append(word)
        return found


def _without_letters(word: str, most: int) -> set[str]:
    """Return the word with up to `most` letters left out, never the first."""
    found = {word}
    shorter = [(word, 1)]
    for _ in range(most):
        shorter = [
            (short[:at] + short[at + 1 :], at)
            for short, begin in shorter
            for at in range(begin, len(short))
        ]
        found |= {short for short, _at in shorter}
    return found


def sound_of(word: str) -> str:
    """Return how a Spanish word sounds, so that words that sound alike are equal."""
    for pattern, sound in _SOUNDS:
        word = pattern.sub(sound, word)
    return word


def distance_within(one: str, other: str, most: int) -> bool:
    """Whether at most `most` letters are missing, added, changed or changed places."""
    if abs(len(one) - len(other)) > most or one[:1] != other[:1]:
        return False
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        older, before, row = before, row, [i]
        for j, b in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1] <= most
