"""Hear danger in what a patient writes in own words.

`read` finds the frames of `danger.yaml` in a text, and for each hit whether the danger is now,
denied, past or somebody else's (`intake.domain.danger_scope`). Only *now* raises an urgency. It is
pure and deterministic, and its time grows with the length of the text alone: no regular expression
here can backtrack.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import accumulate
from operator import itemgetter
from typing import Any, Final, NamedTuple

from intake.domain.danger_lexicon import END, JOINED, Lexicon, Node
from intake.domain.danger_scope import DENIED, NOW, OTHER, PAST, Scopes
from intake.domain.danger_words import Danger, Frame

SCOPES: Final = (NOW, DENIED, PAST, OTHER)
MOST_HITS: Final = 3
"""Of one frame at most so many hits are kept. A hit that is now takes the place of all others."""
_STOPS: Final = frozenset(".!?;")
_EMOJI: Final = range(0x1F000, 0x1FB00)
_TOKEN: Final = re.compile(r"\d+[.,]\d+|[^\W_]+(?:'[^\W_]+)*|([\U0001F000-\U0001FAFF])\1*|[^\w\s]")
_LOOKALIKE: Final = str.maketrans("асеорхуіјѕһԁԛԝѵαορτυνικ", "aceopxyijshdqwvaoptuvik")
_FOR_STOP: Final = 2
"""A full stop between two concepts counts as so many words."""

Span = tuple[int, int]


class Found(NamedTuple):
    """A hit: the frame, its rule, its scope, the words, and where they stand in the text."""

    frame: str
    rule: str
    scope: str
    words: str
    spans: tuple[Span, ...]

    def to_json(self) -> dict[str, Any]:
        """Return JSON data, which `from_json` reads back."""
        return self._asdict() | {"spans": [list(span) for span in self.spans]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Found:
        """Read the hit that `to_json` wrote. Other keys are left out."""
        values = {name: data[name] for name in cls._fields}
        return cls(**values | {"spans": tuple((start, end) for start, end in data["spans"])})


class _Letters(dict[int, str]):
    """Character → what it is read as: small, without accents, Latin; nothing if invisible."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if code in _EMOJI:
            read = character
        elif character in "\u2018\u2019\u201a\u201b\u02bc\u2032\u00b4`":
            read = "'"
        else:
            plain = unicodedata.normalize("NFKD", character).casefold()
            read = "".join(c for c in plain if unicodedata.category(c) not in ("Mn", "Cf"))
            read = read.translate(_LOOKALIKE)
        if code < 0x3000 or code in _EMOJI:
            self[code] = read
        return read


_LETTERS: Final = _Letters()


class Text:
    """A text as words, with marks for the ends of sentences.

    - `all` has every word, except a third repetition in a row and emoji without a meaning here.
    - `stops` says for each word of `all` whether a sentence begins there.
    - `words` has the words of `all` that are not fillers.
    - `before` has the punctuation before each word of `words`, and at the end of the text.
    - `patient` has the places in `words` of words such as "my".
    - `rank` says for each word of `all` how many words of `words` stand before it.
    """

    def __init__(self, text: str, lexicon: Lexicon) -> None:
        self._text = text
        self._plain = text.lower() if text.isascii() else text.translate(_LETTERS)
        self.all: list[str] = []
        self.stops: list[bool] = []
        self.rank: list[int] = []
        self.words: list[str] = []
        self.before: list[str] = []
        self._places: list[re.Match[str]] = []
        self.patient: list[int] = []
        fillers, mark, stop, last, older = lexicon.fillers, "", False, "", ""
        for match in _TOKEN.finditer(self._plain):
            letters = match[0]
            if not (letters[0].isalnum() or letters >= "\U0001f000"):
                mark += letters
                stop = stop or letters in _STOPS
                continue
            words: Iterable[str] = (letters,)
            if letters >= "\U0001f000":
                words = letters[:2] if lexicon.symbols(letters[0]) else ()
            elif "'" in letters:
                words = (letters.replace("'", ""),)
            elif len(letters) >= JOINED:
                words = lexicon.joined(letters)
            for word in words:
                if word == last == older and not stop:
                    continue
                older, last = last, word
                self.all.append(word)
                self.stops.append(stop)
                self.rank.append(len(self.words))
                stop = False
                if word in lexicon.patient:
                    self.patient.append(len(self.words))
                if word not in fillers:
                    self.words.append(word)
                    self.before.append(mark)
                    self._places.append(match)
                    mark = ""
        self.rank.append(len(self.words))
        self.before.append(mark)

    def original(self, span: Span) -> Span:
        """Return where the words from `span[0]` up to `span[1]` stand in the text as written."""
        start, end = self._places[span[0]].start(), self._places[span[1] - 1].end()
        if len(self._plain) == len(self._text):
            return start, end
        return bisect_right(self._ends, start), bisect_left(self._ends, end) + 1

    @cached_property
    def stops_before(self) -> list[bool]:
        """Whether a sentence begins at each word of `words`; True for the end of the text."""
        stops = [not _STOPS.isdisjoint(mark) for mark in self.before]
        stops[-1] = True
        return stops

    @cached_property
    def _ends(self) -> list[int]:
        """Where each character of the text ends, after what it is read as."""
        return list(accumulate(len(_LETTERS[ord(character)]) for character in self._text))


class Reading:
    """The hits in one text. In `found`, hits with the scope now come first.

    Most texts name no danger. So the reader first looks for the concepts of frames. If the concepts
    of a frame stand near each other, the reader also looks for the concepts that tell the scope.
    """

    def __init__(self, danger: Danger, text: str, own_words: frozenset[str] = frozenset()) -> None:
        self._danger = danger
        self._lexicon = lexicon_of(danger, own_words)
        self._text = Text(text, self._lexicon)
        self._original = text
        self._places: dict[Found, Span] = {}
        self._concepts = _Concepts(self._lexicon, self._text)
        spans = self._concepts.find(self._lexicon.tries)
        self.found: tuple[Found, ...] = ()
        self._scope_of: list[tuple[Span, str]] = []
        frames = list(self._standing(spans))
        if any(self._is_near(frame, spans) for frame in frames):
            concepts = dict.fromkeys(concept for frame in frames for concept in frame.of)
            visible = {concept: self._scopes.visible(concept) for concept in concepts}
            hits = [
                hit
                for frame in frames
                for hit in self._hits(frame, [visible[concept] for concept in frame.of])
            ]
            self.found = tuple(sorted(hits, key=lambda found: SCOPES.index(found.scope)))

    @cached_property
    def _spans(self) -> dict[str, list[Span]]:
        """The places of all concepts, also of those that tell the scope."""
        return self._concepts.find(self._lexicon.scope_tries)

    @cached_property
    def _scopes(self) -> Scopes:
        text = self._text
        stops, known = text.stops_before, self._spans
        return Scopes(self._danger, text.words, text.before, stops, known, text.patient)

    def _standing(self, spans: Collection[str]) -> Iterator[Frame]:
        """Yield the frames whose concepts all stand in the text, in the order of the frames."""
        by_concept = self._danger.by_concept
        placed = [item for concept in spans for item in by_concept.get(concept, ())]
        for _place, frame in sorted(placed, key=itemgetter(0)):
            if all(concept in spans for concept in frame.of):
                yield frame

    def _is_near(self, frame: Frame, spans: Mapping[str, list[Span]]) -> bool:
        """Whether the concepts of a frame stand near each other, whatever their scope."""
        lists = [spans[concept] for concept in frame.of]
        return next(_near(lists, frame.within, self._text.stops_before), None) is not None

    def _hits(self, frame: Frame, lists: list[list[Span]]) -> Iterator[Found]:
        kept: list[Found] = []
        if not all(lists):
            return
        for spans in _near(lists, frame.within, self._text.stops_before):
            scope = self._scopes.of_hit(frame, spans)
            if scope == NOW and kept and kept[0].scope != NOW:
                kept = []
            self._scope_of += [(span, scope) for span in spans]
            if len(kept) < MOST_HITS and (scope == NOW or not kept or kept[0].scope != NOW):
                kept.append(self._found(frame, spans, scope))
            if len(kept) == MOST_HITS and scope == NOW:
                break
        yield from kept

    def _found(self, frame: Frame, spans: tuple[Span, ...], scope: str) -> Found:
        places = tuple(sorted(self._text.original(span) for span in spans))
        words = " … ".join(self._original[start:end] for start, end in places)
        found = Found(frame.id, frame.rule, scope, words, places)
        self._places[found] = min(spans)[0], max(end for _start, end in spans)
        return found

    def scope_at(self, text: str, span: Span) -> tuple[str, Span]:
        """Return the scope of the words at `span`, and their places in `words`.

        `text` is the text as patterns read it, and `span` counts its characters. If frames were
        found at these words, the words have the scope of the frames.
        """
        start, end = span
        while start > 0 and text[start - 1].isalnum() and text[start].isalnum():
            start -= 1
        first = len(Text(text[:start], self._lexicon).words)
        last = len(Text(text[:end], self._lexicon).words)
        words = first, max(first + 1, last)
        scopes = [scope for at, scope in self._scope_of if at[0] < words[1] and first < at[1]]
        if scopes and NOW not in scopes:
            return scopes[0], words
        return self._scopes.of_words(words), words

    @property
    def gist(self) -> str:
        """The words of the text that the reader knows, in order. No other word changes a scope."""
        spans = {span for spans in self._spans.values() for span in spans}
        known = sorted({place for span in spans for place in range(*span)})
        return " ".join(self._text.words[place] for place in known)

    def sentence_of(self, found: Found) -> Span:
        """Return where the sentences of a hit start, and where they end (exclusive)."""
        first, last = self._places[found]
        stops = self._text.stops_before
        while first > 0 and not stops[first]:
            first -= 1
        while not stops[last]:
            last += 1
        return first, last

    def quote(self, hits: Iterable[Found]) -> list[tuple[str, bool]]:
        """Cut the sentences of these hits into pieces: (text, whether this piece was heard)."""
        hits, text = tuple(hits), self._original
        first = min(start for hit in hits for start, _end in hit.spans)
        last = max(end for hit in hits for _start, end in hit.spans)
        start = max(text.rfind(mark, 0, first) for mark in _STOPS) + 1
        ends = [place + 1 for mark in _STOPS if (place := text.find(mark, last)) >= 0]
        end = min(ends, default=len(text))
        start += len(text[start:end]) - len(text[start:end].lstrip())
        moved = [
            hit._replace(spans=tuple((first - start, last - start) for first, last in hit.spans))
            for hit in hits
        ]
        return [(piece, heard is not None) for piece, heard in marked(text[start:end], moved)]


def read(danger: Danger, text: str, own_words: frozenset[str] = frozenset()) -> Reading:
    """Read a text. `own_words` are the words of the clinic's texts: none of them is a slip."""
    return Reading(danger, text, own_words)


def lexicon_of(danger: Danger, own_words: frozenset[str]) -> Lexicon:
    """Return the tables of these words, made once."""
    if own_words not in danger.tables:
        danger.tables[own_words] = Lexicon(danger, own_words)
    lexicon: Lexicon = danger.tables[own_words]
    return lexicon


class _Concepts:
    """Where the concepts stand in a text."""

    def __init__(self, lexicon: Lexicon, text: Text) -> None:
        known = {word: lexicon.symbols(word) for word in set(text.all)}
        self._at = [known[word] for word in text.all]
        """What each single word stands for."""
        self._begins = [
            (place, symbol) for place, symbols in enumerate(self._at) for symbol in symbols
        ]
        self._wide: dict[int, list[tuple[str, int]]] = {}
        """The concepts that begin at a word, and the words at which they end."""
        self._text = text
        self._fillers = [word in lexicon.fillers for word in text.all]
        self._spans: dict[str, set[Span]] = {}

    def find(self, tries: list[Node]) -> dict[str, list[Span]]:
        """Find the phrases of these tries. Return the places of every concept found so far.

        A trie may name the concepts of the tries before it. The places are in order, and count the
        words of `Text.words`.
        """
        rank = self._text.rank
        for trie in tries:
            ended: list[tuple[int, str, int]] = []
            for place, symbol in self._begins:
                if (node := trie.get(symbol)) is not None:
                    self._end(node, place + 1, place, ended)
            for place, ends in self._wide.items():
                for symbol, end in ends:
                    if (node := trie.get(symbol)) is not None:
                        self._end(node, end, place, ended)
            for place, concept, end in ended:
                self._wide.setdefault(place, []).append((f"<{concept}>", end))
                if rank[place] < rank[end]:
                    self._spans.setdefault(concept, set()).add((rank[place], rank[end]))
        return {concept: sorted(spans) for concept, spans in self._spans.items()}

    def _end(self, node: Node, end: int, start: int, ended: list[tuple[int, str, int]]) -> None:
        """Add to `ended` each concept with a phrase that begins at `start` and passes `node`.

        Fillers between the words of a phrase are skipped.
        """
        if END in node:
            ended.extend((start, concept, end) for concept in node[END])
            if len(node) == 1:
                return
        at, stops, fillers, wide = self._at, self._text.stops, self._fillers, self._wide
        while end < len(at) and not stops[end]:
            for symbol in at[end]:
                if (below := node.get(symbol)) is not None:
                    self._end(below, end + 1, start, ended)
            if end in wide:
                for symbol, last in wide[end]:
                    if (below := node.get(symbol)) is not None:
                        self._end(below, last, start, ended)
            if not fillers[end]:
                break
            end += 1


def _near(lists: list[list[Span]], within: int, stops: list[bool]) -> Iterator[tuple[Span, ...]]:
    """Yield spans that stand near each other, one of each list."""
    first, *others = lists
    if not others:
        yield from ((span,) for span in first)
        return
    for span in first:
        chosen = [_nearest(span, other, within, stops) for other in others]
        if all(chosen):
            for second in chosen[0]:
                if len(chosen) == 1:
                    yield span, second
                    continue
                for third in chosen[1]:
                    if third[0] >= second[1] or third[1] <= second[0]:
                        yield span, second, third


def _nearest(span: Span, spans: list[Span], within: int, stops: list[bool]) -> list[Span]:
    """Return the spans, at most five on each side, that are not too far from a span."""
    near: list[Span] = []
    place = bisect_left(spans, span)
    for steps in (
        range(place - 1, max(-1, place - 6), -1),
        range(place, min(len(spans), place + 5)),
    ):
        for step in steps:
            other = spans[step]
            start, end = (other[1], span[0]) if other[0] < span[0] else (span[1], other[0])
            if start > end:
                continue  # one stands in the other
            if end - start + _FOR_STOP * sum(stops[start : end + 1]) <= within:
                near.append(other)
    return near


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """Return the words of these texts as the reader reads words."""
    plain = (text.translate(_LETTERS) for text in texts)
    return frozenset(
        token.replace("'", "")
        for text in plain
        for token in _TOKEN.findall(text)
        if token.isalnum()
    )


def marked(text: str, found: Iterable[Found]) -> list[tuple[str, str | None]]:
    """Return the text in pieces for staff: each piece with its scope, or None where nothing is."""
    scope_at: dict[int, str] = {}
    for hit in found:
        for start, end in hit.spans:
            for place in range(start, end):
                scope_at.setdefault(place, hit.scope)
    pieces: list[tuple[str, str | None]] = []
    for place, character in enumerate(text):
        scope = scope_at.get(place)
        if pieces and pieces[-1][1] == scope:
            pieces[-1] = (pieces[-1][0] + character, scope)
        else:
            pieces.append((character, scope))
    return pieces
