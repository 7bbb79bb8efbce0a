"""Say questions and answers in the short words that a protocol has for staff."""

import msgspec

from intake.domain.definition import Protocol, Question


def brief(protocol: Protocol, id: str) -> Question:
    """Return a question with the short words of `uses.short` in place of the patient's words."""
    question = protocol.question(id)
    words = next((each for each in protocol.uses.short if each.q == id), None)
    if words is None:
        return question
    options = tuple(
        msgspec.structs.replace(option, label=words.options.get(option.code, option.label))
        for option in question.options
    )
    return msgspec.structs.replace(question, text=words.label, options=options)
