"""Find the faults of a protocol's `uses`, which names the questions that the program itself uses.

Without this check nobody would notice a missing question, and then, for example, alarm words would
raise no alarm, or the clinic would have no number to call.
"""

from __future__ import annotations

from collections.abc import Iterator

from intake.domain.computed import questions_behind
from intake.domain.definition import FLAG, Protocol
from intake.domain.grammar import AnswerCondition, conditions_of
from intake.domain.problem import Problem
from intake.domain.uses import LONGEST_LINE, PART_2


def use_problems(protocol: Protocol) -> Iterator[Problem]:
    """Yield a problem for each question that `uses` names wrongly or leaves out."""
    known = {question.id: question for question in protocol.questions}
    fitting = True
    for place, id, type in _named(protocol):
        if id not in known:
            fitting = False
            yield _wrong(place, f"There is no question “{id}”.")
        elif type not in ("", known[id].type):
            fitting = False
            yield _wrong(place, f"“{id}” is a {known[id].type} question, not a {type} one.")
    if fitting:
        yield from _options(protocol)
        yield from _always_asked(protocol)
        yield from _walks(protocol)
        yield from _part_2(protocol)
        yield from _contact(protocol)
        yield from _free_text(protocol)
        yield from _chart(protocol)
        yield from _cannot_wait(protocol)
        yield from _nurse_asks(protocol)


def _named(protocol: Protocol) -> Iterator[tuple[str, str, str]]:
    """Yield (place in `uses`, id of the question there, type that the question must have).

    The type '' means that any type will do.
    """
    uses = protocol.uses
    yield "safety", uses.safety, "multi"
    yield "who", uses.who.q, "single"
    yield "age", uses.age, "integer"
    yield from (("first_line", id, "") for id in uses.first_line)
    yield from (("complaint", id, "") for id in uses.complaint)
    yield from (("glance", id, "") for id in uses.glance)
    yield from (("short", words.q, "") for words in uses.short)
    yield "own_words", uses.own_words, "text"
    yield from (("free_text", id, "text") for id in uses.free_text)
    yield "contact.phone", uses.contact.phone, "text"
    yield "contact.language_help", uses.contact.language_help, "single"
    yield "contact.acknowledged", uses.contact.acknowledged, "boolean"
    if uses.crisis is not None:
        yield "crisis", uses.crisis, "single"
    if uses.cannot_wait is not None:
        yield "cannot_wait", uses.cannot_wait.q, "single"
    yield from (("nurse_asks", id, "") for id in uses.nurse_asks)
    yield from (("chart", id, "text") for id in uses.chart_names)
    for name in uses.walks.__struct_fields__:
        yield from ((f"walks.{name}", id, "") for id in uses.short_walk(name) or ())


def _nurse_asks(protocol: Protocol) -> Iterator[Problem]:
    """Yield a problem for each question of `nurse_asks` that every caller must be asked."""
    uses = protocol.uses
    second = [uses.cannot_wait.q] if uses.cannot_wait else []
    always = {q.id for q in protocol.page_of(uses.safety).questions} | {
        *(q.id for q in protocol.questions if q.about is not None),
        *(uses.who.q, uses.age, *uses.free_text, *uses.contact.stored_names, *second),
    }
    for id in uses.nurse_asks:
        if id in always:
            yield _wrong("nurse_asks", f"Anybody at the phone has to ask “{id}”.")


def _options(protocol: Protocol) -> Iterator[Problem]:
    uses = protocol.uses
    answers = [option.code for option in protocol.question(uses.who.q).options]
    for code in uses.who.proxy:
        if code not in answers:
            yield _wrong("who.proxy", f"“{uses.who.q}” has no option “{code}”.")
    others = [code for code in answers if not uses.is_proxy(code)]
    if not uses.who.proxy or not others:
        yield _wrong("who.proxy", "Name the answers of another person, and not the patient's own.")
    helps = [option.code for option in protocol.question(uses.contact.language_help).options]
    for language, code in uses.contact.speaks.items():
        if code not in helps:
            message = f"“{uses.contact.language_help}” has no option “{code}” for “{language}”."
            yield _wrong("contact.speaks", message)
    for words in uses.short:
        known = [option.code for option in protocol.question(words.q).options]
        for code in words.options:
            if code not in known:
                yield _wrong("short", f"“{words.q}” has no option “{code}”.")


def _always_asked(protocol: Protocol) -> Iterator[Problem]:
    uses = protocol.uses
    for id in (uses.safety, uses.who.q, uses.age, *uses.contact.stored_names):
        question = protocol.question(id)
        if question.show_if is not None or not question.required:
            yield _wrong(id, f"Ask “{id}” of every patient, and require an answer.")
    for id in filter(None, (uses.safety, uses.crisis)):
        if not protocol.question(id).interrupts:
            yield _wrong(id, f"“{id}” has to stop the form: set `interrupts`.")


def _walks(protocol: Protocol) -> Iterator[Problem]:
    uses = protocol.uses
    safety = [question.id for question in protocol.page_of(uses.safety).questions]
    for name in uses.walks.__struct_fields__:
        asked = uses.short_walk(name) or ()
        for id in safety[:1] if name == PART_2 and asked else safety if name != PART_2 else ():
            if id not in asked:
                yield _wrong(f"walks.{name}", f"Ask the safety question “{id}”, too.")
        for id in asked:
            if id in uses.contact.stored_names:
                yield _wrong(f"walks.{name}", f"“{id}” is asked with the contact.")


def _part_2(protocol: Protocol) -> Iterator[Problem]:
    """Yield a problem for each question of part 2 that part 1 needs.

    Of part 2, a rule with a level may read only free text and the questions about words of danger.
    Flags and the summary may read all of part 2, but not below a `not`: before part 2 is sent, the
    `not` would be true.
    """
    uses, rules = protocol.uses, protocol.rules
    needed = (uses.who.q, uses.age, *uses.first_line, *uses.complaint, uses.own_words, uses.crisis)
    for id in sorted(uses.later.intersection(filter(None, needed))):
        yield _wrong("walks.part_2", f"The program needs “{id}” in part 1.")
    for question in protocol.questions:
        if question.show_if is not None and question.id not in uses.later:
            for id in sorted(uses.later.intersection(question.show_if.questions())):
                yield _wrong("walks.part_2", f"“{question.id}” of part 1 reads “{id}”.")
    for rule in rules.rules:
        if rule.level != FLAG:
            words = {leaf.q for leaf in rule.when.leaves() if leaf.op == "text_any_regex"}
            words |= {question.id for question in protocol.asking}
            for id in sorted(uses.later & _behind(protocol, rule.when) - words):
                message = f"The rule “{rule.id}” has a level and reads “{id}”: ask it in part 1."
                yield _wrong("walks.part_2", message)
    read = [(f"The flag “{rule.id}”", rule.when) for rule in rules.rules if rule.level == FLAG]
    for line in protocol.summary:
        read += [(f"The summary “{line.label}”", each) for each in conditions_of(line.parts)]
    for reader, condition in read:
        for id in sorted(uses.later & _denied(protocol, condition)):
            yield _wrong("walks.part_2", f"{reader} reads “{id}” by a `not`.")


def _denied(protocol: Protocol, condition: AnswerCondition) -> frozenset[str]:
    """Return the questions that a condition reads below a `not`, also through computed values."""
    if condition.not_ is not None:
        return _behind(protocol, condition.not_)
    parts = condition.all or condition.any or ()
    return frozenset(id for part in parts for id in _denied(protocol, part))


def _behind(protocol: Protocol, condition: AnswerCondition) -> frozenset[str]:
    """Return the questions behind a condition. Another check reports a missing computed value."""
    try:
        return questions_behind(protocol, condition)
    except KeyError:
        return frozenset(condition.questions())


def _contact(protocol: Protocol) -> Iterator[Problem]:
    """Yield a problem unless the last section has exactly the contact questions.

    The program asks the contact questions in a separate step after all pages. They must be the last
    section, so that the progress line counts the sections in the order in which patients see them.
    """
    asked = set(protocol.uses.contact.stored_names)
    last = protocol.questionnaire.sections[-1]
    if {question.id for question in last.questions} != asked:
        yield _wrong("contact", "Make these questions the last section, without any other one.")


def _free_text(protocol: Protocol) -> Iterator[Problem]:
    uses = protocol.uses
    if uses.own_words not in uses.free_text:
        yield _wrong("own_words", f"Name “{uses.own_words}” under free_text, too.")
    for question in protocol.questions:
        named = (*uses.free_text, *uses.chart_names, uses.contact.phone)
        if question.type == "text" and question.id not in named:
            message = f"Name “{question.id}”, or nobody is told of alarming words in it."
            yield _wrong("free_text", message)
    searched = {
        leaf.q
        for rule in protocol.rules.rules
        if rule.level != FLAG
        for leaf in rule.when.leaves()
        if leaf.op == "text_any_regex"
    }
    for id in uses.free_text:
        if id not in searched:
            yield _wrong("free_text", f"No rule searches “{id}” for alarming words.")


def _chart(protocol: Protocol) -> Iterator[Problem]:
    """Yield a problem for each question for the chart that may hold more than a name or a number.

    Nothing searches these answers for alarming words, so a patient must not have room to tell.
    """
    uses = protocol.uses
    asked = set(uses.chart_names)
    for id in uses.chart_names:
        question = protocol.question(id)
        if not question.one_line or (question.max_length or 0) > LONGEST_LINE:
            yield _wrong("chart", f"Give “{id}” one line of at most {LONGEST_LINE} characters.")
        if question.required or question.show_if is not None or id not in uses.later:
            yield _wrong("chart", f"Ask “{id}” of every patient in part 2; require no answer.")
        if id in uses.free_text:
            yield _wrong("chart", f"“{id}” is searched for alarming words: it is free text.")
        if not asked.issuperset(other.id for other in protocol.page_of(id).questions):
            yield _wrong("chart", f"Ask “{id}” on a page of only these questions.")


def _wrong(place: str, message: str) -> Problem:
    return Problem("wrong_use", f"uses.{place}", message)


def _cannot_wait(protocol: Protocol) -> Iterator[Problem]:
    """Yield a problem if a language falls short and nobody is asked whether the words can wait."""
    uses, second = protocol.uses, protocol.uses.cannot_wait
    if second is None:
        if protocol.danger is not None and protocol.danger.falls_short:
            languages = ", ".join(protocol.danger.falls_short)
            message = f"Own words are not heard well enough in {languages}: ask if they can wait."
            yield _wrong("cannot_wait", message)
        return
    question = protocol.question(second.q)
    if second.answer not in [option.code for option in question.options]:
        yield _wrong("cannot_wait", f"“{second.q}” has no option “{second.answer}”.")
    if question.required or question.show_if is not None:
        yield _wrong("cannot_wait", f"Ask “{second.q}” of every patient, and require no answer.")
    if question.page != protocol.question(uses.own_words).page:
        yield _wrong("cannot_wait", f"Ask “{second.q}” on the page of “{uses.own_words}”.")
    for kind in ("appointment", "addition"):
        if uses.asks(kind, uses.own_words) and not uses.asks(kind, second.q):
            yield _wrong(f"walks.{kind}", f"Ask “{second.q}” beside “{uses.own_words}”, too.")
    if not any(
        leaf.q == second.q and rule.level != FLAG
        for rule in protocol.rules.rules
        for leaf in rule.when.leaves()
    ):
        yield _wrong("cannot_wait", f"No rule with a level reads “{second.q}”.")
