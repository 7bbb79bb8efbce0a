"""The texts of a protocol as patients read them: in English, or in a translation where it is ready.

A translated safety text is shown only if a person has signed exactly this text. A demonstration
shows unsigned safety texts, too, and marks them as drafts. Other texts are shown part by part, so
that no patient reads a question or an advice in two languages.
"""

from __future__ import annotations

import msgspec

from intake.domain.definition import (
    HEADS,
    Level,
    Protocol,
    Question,
    QuestionSection,
    Rule,
)
from intake.domain.translation import (
    SAFETY_LEVELS,
    LevelWords,
    QuestionWords,
    RuleWords,
    Translation,
    fixed_parts,
    protocol_texts,
    safety_faults,
    translated_texts,
)

Part = tuple[str, str]
"""A kind and an id: a question with its options, a section, a level with all of its rules, or the
head (title, audience, ready)."""


class Wording(msgspec.Struct, frozen=True):
    """A protocol in one language. Use `protocol` for its texts only, never to judge answers.

    `shown` is the translation whose texts `protocol` has, None for English. `english` holds the
    parts whose translation is not ready, so that patients read all of them in English. With
    `drafts`, no person has signed the safety texts of the translation.
    """

    protocol: Protocol
    shown: Translation | None = None
    approved: bool = True
    english: frozenset[Part] = frozenset()
    drafts: bool = False

    @property
    def language(self) -> str:
        return self.shown.language if self.shown is not None else "en"

    def language_of(self, level: str) -> str:
        """Return the language of this level's words and of the texts of its rules."""
        return self._language_of("levels", level)

    def is_draft(self, level: str) -> bool:
        """Whether the texts of this level are translated safety texts without a signature."""
        return self.drafts and level in SAFETY_LEVELS and self.language_of(level) != "en"

    def language_of_question(self, id: str) -> str:
        """Return the language of a question, its help and its options."""
        return self._language_of("questions", id)

    def language_of_section(self, id: str) -> str:
        """Return the language of a section's title."""
        return self._language_of("sections", id)

    @property
    def language_of_head(self) -> str:
        """The language of the title, the audience and what to have ready."""
        return self._language_of("head", "")

    def _language_of(self, kind: str, id: str) -> str:
        return "en" if (kind, id) in self.english else self.language

    def tell(self, level: str) -> str:
        """Return what patients of this level read under "What happens next", or ''.

        In old documents levels have no such text. For them this is the text that the program itself
        contained at that time.
        """
        told, stored = self.protocol.level(level).tell, self.protocol.stored
        if told is None and stored is not None:
            by_language = stored.tell.get(level, {})
            told = by_language.get(self.language_of(level)) or by_language.get("en")
        return told or ""


def as_shown(protocol: Protocol, translation: Translation, *, drafts: bool = False) -> Translation:
    """Return the translation with only the parts that patients read.

    Parts that are not whole are left out. Safety texts without a signature are left out, too,
    except in a demonstration (`drafts`). The `document()` of the returned translation is stored
    with a submission.
    """
    kept = _parts_ready(protocol, translation)
    if safety_faults(protocol, translation) and not drafts:
        kept -= {("levels", code) for code in SAFETY_LEVELS}
    level_of = {rule.id: rule.level for rule in protocol.rules.rules}
    head = ("head", "") in kept
    return msgspec.structs.replace(
        translation,
        **{name: getattr(translation, name) if head else None for name in HEADS},
        **{
            kind: {
                id: text for id, text in getattr(translation, kind).items() if (kind, id) in kept
            }
            for kind in ("sections", "questions", "levels")
        },
        rules={
            id: words
            for id, words in translation.rules.items()
            if ("levels", level_of.get(id, "")) in kept
        },
    )


def in_language(
    protocol: Protocol,
    shown: Translation | None,
    *,
    approved: bool = False,
    drafts: bool = False,
) -> Wording:
    """Put the texts of a translation into the protocol. `shown` comes from `as_shown`.

    `drafts` says that nobody has signed the safety texts of `shown`. If `shown` is None, the
    protocol stays English. Texts without a translation stay English, too.
    """
    if shown is None:
        return Wording(protocol)
    sections = tuple(_section(section, shown) for section in protocol.questionnaire.sections)
    rules = tuple(_rule(rule, shown.rules.get(rule.id)) for rule in protocol.rules.rules)
    levels = tuple(_level(level, shown.levels.get(level.code)) for level in protocol.rules.levels)
    replace = msgspec.structs.replace
    worded = replace(
        protocol,
        questionnaire=replace(
            protocol.questionnaire,
            sections=sections,
            **{name: text for name in HEADS if (text := getattr(shown, name))},
        ),
        rules=replace(protocol.rules, rules=rules, levels=levels),
    )
    every = {_part(protocol, path) for path, _text in protocol_texts(protocol)}
    english = frozenset(every - _parts_ready(protocol, shown))
    return Wording(worded, shown, approved, english, drafts)


def _parts_ready(protocol: Protocol, translation: Translation) -> set[Part]:
    """Return the parts that are translated whole: every text, and each fits its English."""
    english, other = dict(protocol_texts(protocol)), dict(translated_texts(translation))
    unready = {
        _part(protocol, path)
        for path, text in english.items()
        if not other.get(path, "").strip() or fixed_parts(text) != fixed_parts(other[path])
    }
    return {_part(protocol, path) for path in english} - unready


def _part(protocol: Protocol, path: str) -> Part:
    """Return the part to which a text belongs by its path."""
    kind, _, rest = path.partition(".")
    id = rest.partition(".")[0]
    if kind == "rules":
        return "levels", protocol.rule(id).level
    return (kind, id) if rest else ("head", "")


# --- putting a translation into a protocol -------------------------------------------------------


def _section(section: QuestionSection, shown: Translation) -> QuestionSection:
    return msgspec.structs.replace(
        section,
        title=shown.sections.get(section.id, section.title),
        questions=tuple(_question(q, shown.questions.get(q.id)) for q in section.questions),
    )


def _question(question: Question, words: QuestionWords | None) -> Question:
    if words is None:
        return question
    replace = msgspec.structs.replace
    proxy = question.proxy
    if proxy is not None and words.proxy is not None:
        proxy = replace(
            proxy,
            text=words.proxy.text,
            help=words.proxy.help,
            options=dict(words.proxy.options),
        )
    return replace(
        question,
        text=words.text,
        help=words.help or question.help,
        options=tuple(
            replace(option, label=words.options.get(option.code, option.label))
            for option in question.options
        ),
        proxy=proxy,
    )


def _rule(rule: Rule, words: RuleWords | None) -> Rule:
    if words is None:
        return rule
    return msgspec.structs.replace(
        rule,
        advice=words.advice or rule.advice,
        promise=words.promise or rule.promise,
        closed=words.closed or rule.closed,
        ask_back=words.ask_back or rule.ask_back,
    )


def _level(level: Level, words: LevelWords | None) -> Level:
    if words is None:
        return level
    return msgspec.structs.replace(
        level,
        target=words.target or level.target,
        closed=words.closed or level.closed,
        tell=words.tell or level.tell,
    )
