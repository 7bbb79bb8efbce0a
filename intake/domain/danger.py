"""Hear danger in what a patient writes in own words.

`read` finds the frames of `danger.yaml` in a text, and for each hit whether the danger is now,
denied, past or somebody else's (`intake.domain.danger_scope`). Only *now* raises an urgency. It is
pure and deterministic, and its time grows with the length of the text alone: no regular expression
here can backtrack.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import accumulate
from operator import itemgetter
from typing import Any, Final, NamedTuple

from intake.domain.danger_lexicon import TOKEN, Lexicon, Node, Word
from intake.domain.danger_scope import DENIED, NOW, OTHER, PAST, Scopes
from intake.domain.danger_words import Danger, Frame

SCOPES: Final = (NOW, DENIED, PAST, OTHER)
MOST_HITS: Final = 3
"""Of one frame at most so many hits are kept. A hit that is now takes the place of all others."""
_STOPS: Final = frozenset(".!?;")
_EMOJI: Final = range(0x1F000, 0x1FB00)
_MOST_LETTERS: Final = 20_000
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
            read = unicodedata.normalize("NFKD", character).casefold()
            if read != character or not read.isalpha():
                read = "".join(c for c in read if unicodedata.category(c) not in ("Mn", "Cf"))
            read = read.translate(_LOOKALIKE)
        if len(self) < _MOST_LETTERS:
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
        self.all: list[Word] = []
        self.stops: list[bool] = []
        self.rank: list[int] = []
        self.words: list[str] = []
        self.before: list[str] = []
        self.patient: list[int] = []
        self._original: dict[Span, Span] = {}
        self._tokens: list[int] = []
        """For each word of `words` the number of its token."""
        mark, stop, last, older, count, tokens = "", False, None, None, 0, 0
        chunks = lexicon.chunks
        for chunk in self._plain.split():
            found, after, size = chunks[chunk]
            for before, word, number in found:
                if before:
                    mark += before
                    stop = stop or not _STOPS.isdisjoint(before)
                if word is last and word is older and not stop:
                    continue
                older, last = last, word
                self.all.append(word)
                self.stops.append(stop)
                self.rank.append(count)
                stop = False
                if word.is_patient:
                    self.patient.append(count)
                if not word.is_filler:
                    self.words.append(word.text)
                    self.before.append(mark)
                    self._tokens.append(tokens + number)
                    count += 1
                    mark = ""
            if after:
                mark += after
                stop = stop or not _STOPS.isdisjoint(after)
            tokens += size
        self.rank.append(count)
        self.before.append(mark)

    def original(self, span: Span) -> Span:
        """Return where the words from `span[0]` up to `span[1]` stand in the text as written."""
        if span not in self._original:
            self._original[span] = self._placed(span)
        return self._original[span]

    def _placed(self, span: Span) -> Span:
        start = self._places[self._tokens[span[0]]][0]
        end = self._places[self._tokens[span[1] - 1]][1]
        if len(self._plain) == len(self._text):
            return start, end
        return bisect_right(self._ends, start), bisect_left(self._ends, end) + 1

    @cached_property
    def _places(self) -> list[Span]:
        """Where each token stands in the text as it is read."""
        return [match.span() for match in TOKEN.finditer(self._plain)]

    @cached_property
    def stops_before(self) -> list[bool]:
        """Whether a sentence begins at each word of `words`; True for the end of the text."""
        stops = [mark != "" and not _STOPS.isdisjoint(mark) for mark in self.before]
        stops[-1] = True
        return stops

    @cached_property
    def count_stops(self) -> list[int]:
        """How many sentences begin before each word of `words`, and before the end of the text."""
        return [0, *accumulate(self.stops_before)]

    @cached_property
    def _ends(self) -> list[int]:
        """Where each character of the text ends, after what it is read as."""
        return list(accumulate(map(len, map(_LETTERS.__getitem__, map(ord, self._text)))))


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
        self._concepts = _Concepts(self._text, self._lexicon)
        spans = self._concepts.find(0)
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
        return self._concepts.find(1)

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
        return next(_near(lists, frame.within, self._text.count_stops), None) is not None

    def _hits(self, frame: Frame, lists: list[list[Span]]) -> Iterator[Found]:
        kept: list[Found] = []
        if not all(lists):
            return
        for spans in _near(lists, frame.within, self._text.count_stops):
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
        places = tuple(sorted([self._text.original(span) for span in spans]))
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
        # a row of letters may be cut into words, and the row as a whole not
        words = first, max(first + 1, min(last, len(self._text.words)))
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

    def __init__(self, text: Text, lexicon: Lexicon) -> None:
        self._text = text
        self._lexicon = lexicon
        self._parts: dict[int, list[tuple[str, int]]] = {}
        """The parts of phrases, of two words and more: where they begin, and where they end."""
        self._spans: dict[str, list[Span]] = {}

    def find(self, number: int) -> dict[str, list[Span]]:
        """Find the phrases of a trie. Return the places of every concept found so far.

        A trie may name the concepts of the tries before it. The places are in order, and count the
        words of `Text.words`. The words are read from the last to the first: what a phrase names
        after its first word is known when the phrase is read.
        """
        words, stops, rank = self._text.all, self._text.stops, self._text.rank
        trie, names, parts = self._lexicon.tries[number], self._lexicon.parts, self._parts
        found: defaultdict[str, list[Span]] = defaultdict(list)
        for place in range(len(words) - 1, -1, -1):
            word = words[place]
            begins, begun = word.begins[number], parts.get(place, ())
            if begins is None and not begun:
                continue
            at = rank[place]
            ended: list[tuple[str, int]] = []
            if begins is not None:
                if begins.concepts and not word.is_filler:
                    for concept in begins.concepts:
                        found[concept].append((at, at + 1))
                if begins.nodes and place + 1 < len(words) and not stops[place + 1]:
                    follower = words[place + 1]
                    passes = follower.is_filler or place + 1 in parts
                    for node in begins.nodes:
                        if passes or not node.below.keys().isdisjoint(follower.symbols):
                            self._follow(node.below, place + 1, ended)
            for part, end in begun:
                if (next_node := trie.get(part)) is not None:
                    self._end(next_node, end, ended)
            if not ended:
                continue
            known: set[tuple[str, int]] = set()
            for concept, end in ended:  # the list grows during the loop
                if (concept, end) in known:
                    continue
                known.add((concept, end))
                if at < rank[end]:
                    found[concept].append((at, rank[end]))
                if (named := names.get(concept)) is not None:
                    parts.setdefault(place, []).append((named, end))
                    if (next_node := trie.get(named)) is not None:
                        self._end(next_node, end, ended)
        self._spans |= {concept: sorted(set(spans)) for concept, spans in found.items()}
        return self._spans

    def _end(self, node: Node, end: int, ended: list[tuple[str, int]]) -> None:
        """Add to `ended` each concept with a phrase that passes `node` right before word `end`."""
        for concept in node.ends:
            ended.append((concept, end))
        if node.below:
            self._follow(node.below, end, ended)

    def _follow(self, below: Mapping[str, Node], end: int, ended: list[tuple[str, int]]) -> None:
        """Go on in the phrases with the word `end`. Fillers between their words are skipped."""
        words, stops, parts = self._text.all, self._text.stops, self._parts
        while end < len(words) and not stops[end]:
            word = words[end]
            for symbol in word.symbols:
                if (node := below.get(symbol)) is not None:
                    self._end(node, end + 1, ended)
            for part, last in parts.get(end, ()):
                if (node := below.get(part)) is not None:
                    self._end(node, last, ended)
            if not word.is_filler:
                break
            end += 1


def _near(lists: list[list[Span]], within: int, stops: list[int]) -> Iterator[tuple[Span, ...]]:
    """Yield spans that stand near each other, one of each list.

    `stops` counts the ends of sentences before each word.
    """
    first, *others = lists
    if not others:
        yield from ((span,) for span in first)
        return
    for span in first:
        second_near = _nearest(span, others[0], within, stops)
        if not second_near:
            continue
        if len(others) == 1:
            yield from ((span, second) for second in second_near)
            continue
        third_near = _nearest(span, others[1], within, stops)
        for second in second_near:
            for third in third_near:
                if third[0] >= second[1] or third[1] <= second[0]:
                    yield span, second, third


def _nearest(span: Span, spans: list[Span], within: int, stops: list[int]) -> list[Span]:
    """Return the spans, at most five on each side, that are not too far from a span."""
    near: list[Span] = []
    start, end = span
    place = bisect_left(spans, span)
    for other in reversed(spans[max(0, place - 5) : place]):
        gap = start - other[1] if other[0] < start else other[0] - end
        if 0 <= gap <= within:
            at = other[1] if other[0] < start else end
            if gap + _FOR_STOP * (stops[at + gap + 1] - stops[at]) <= within:
                near.append(other)
    for other in spans[place : place + 5]:
        gap = other[0] - end
        if 0 <= gap <= within and gap + _FOR_STOP * (stops[other[0] + 1] - stops[end]) <= within:
            near.append(other)
    return near


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """Return the words of these texts as the reader reads words."""
    plain = (text.translate(_LETTERS) for text in texts)
    return frozenset(
        token.replace("'", "") for text in plain for token in TOKEN.findall(text) if token.isalnum()
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
