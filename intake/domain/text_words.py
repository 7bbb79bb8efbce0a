"""Read what a person wants who writes to the clinic's number for text messages.

A person revokes the consent to text messages with a word such as STOP, or with any plain wording
(47 CFR 64.1200(a)(10)). `meaning` reads English and Spanish. A text that may mean either is read as
a revocation, because a further text message to a person who wants none is worse than a call.
"""

import re
import unicodedata
from enum import StrEnum
from typing import Final


class Meaning(StrEnum):
    """What a text to the clinic's number asks for.

    CANCEL revokes, too, and may mean the visit. VISIT means the visit alone. WRONG is from a person
    who is not our patient, and revokes, too.
    """

    STOP = "stop"
    CANCEL = "cancel"
    WRONG = "wrong"
    START = "start"
    VISIT = "visit"
    OTHER = "other"

    @property
    def revokes(self) -> bool:
        return self in (Meaning.STOP, Meaning.CANCEL, Meaning.WRONG)


# The words that 47 CFR 64.1200(a)(10) names, those that Twilio knows besides, and their Spanish.
_STOP: Final = frozenset(
    "stop stopall quit end revoke optout unsubscribe remove alto pare paren parar basta terminar"
    " salir fin baja revocar".split()
)
_CANCEL: Final = frozenset("cancel cancelar cancele cancelen".split())
_START: Final = frozenset("start unstop restart resume empezar comenzar iniciar reanudar".split())
# words beside such a word that do not change what it asks for
_BESIDE: Final = frozenset(
    "please pls plz now all this it ok okay thanks thank you me i want to said hi hello hey just"
    " por favor ya todo todos gracias esto hola quiero".split()
)
# what is sent: a text that says "no more" of these revokes
_TEXTS: Final = frozenset(
    "text texts texting txt txts message messages messaging msg msgs sms mensaje mensajes texto"
    " textos notificaciones notifications alerts reminders recordatorios".split()
)
_NO_MORE: Final = frozenset(
    "stop quit cease cancel no dont never unsubscribe discontinue halt alto pare paren basta dejen"
    " deje cancelar cancele cancelen detener detengan".split()
)
# words between "no more" and what is sent. Any other word between them tells something else, as in
# "I don't see your message".
_BETWEEN_THEM: Final = frozenset(
    "send sending want need get getting receive receiving write writing me the these those this all"
    " any anymore more of your my with to from please ever again such de que los las el la mas"
    " mandar mandarme enviar enviarme me sus".split()
)
_VISIT: Final = frozenset(
    "appointment appointments appt apt visit visits cita citas consulta reservation booking".split()
)
# A phrase is a row of words; "*" stands for up to two other words.
_PHRASES: Final = [
    phrase.split()
    for phrase in (
        "opt * out",
        "opting out",
        "unsubscribe me",
        "take me off",
        "remove me",
        "remove my number",
        "delete my number",
        "leave me alone",
        "stop * contacting",
        "stop * bothering",
        "stop * sending",
        "stop * writing",
        "dont * contact me",
        "dont * write me",
        "dont * bother",
        "dont want * from you",
        "revoke my consent",
        "i revoke",
        "lose my number",
        "no me * escriban",
        "no me * escriba",
        "no me * escribas",
        "no me * manden",
        "no me * mande",
        "no me * envien",
        "no me * envie",
        "no me * contacten",
        "no me * molesten",
        "no me * texteen",
        *(
            f"{stop} de {verb}"
            for stop in ("dejen", "deje", "deja")
            for verb in "escribirme escribir mandarme mandar enviarme enviar contactarme molestar"
            " molestarme textearme".split()
        ),
        "quitenme",
        "quiteme",
        "borrenme",
        "borreme",
        "borren mi numero",
        "borre mi numero",
        "no quiero * mas mensajes",
        "no quiero * recibir",
        "dar de baja",
        "darme de baja",
        "denme de baja",
    )
]
_WRONG: Final = [
    phrase.split()
    for phrase in (
        "wrong number",
        "wrong person",
        "not my appointment",
        "dont know you",
        "not a patient",
        "numero equivocado",
        "numero incorrecto",
        "persona equivocada",
        "no soy paciente",
        "se equivoco de numero",
        "esta equivocado",
    )
]
_BETWEEN: Final = 2  # words that "*" stands for at most
_MOST_WORDS: Final = 400
_WORD: Final = re.compile(r"[a-z]+|\d+")


def meaning(text: str) -> Meaning:
    """Return what a text asks for. Its time grows with the length of the text alone."""
    words = _words(text)
    if not words:
        return Meaning.OTHER
    if any(_has(words, phrase) for phrase in _WRONG):
        return Meaning.WRONG
    # what is left of "STOP 123456" or "please stop now" is the word itself
    kept = [word for word in words if word not in _BESIDE and not word.isdigit()]
    if kept and set(kept) <= _START:
        return Meaning.START
    if kept and set(kept) <= _CANCEL:
        return Meaning.CANCEL
    if _is_stop(words, kept):
        return Meaning.STOP
    if not _CANCEL.isdisjoint(words) and not _VISIT.isdisjoint(words):
        return Meaning.VISIT
    return Meaning.OTHER


def _is_stop(words: list[str], kept: list[str]) -> bool:
    ends = _STOP | _CANCEL
    if words == ["no", "mas"] or kept == ["opt", "out"]:
        return True
    if not ends.isdisjoint(kept) and set(kept) <= ends | _TEXTS:
        return True
    return _asks_for_no_texts(words) or any(_has(words, phrase) for phrase in _PHRASES)


def _asks_for_no_texts(words: list[str]) -> bool:
    """Whether a text asks for no more text messages, as in "stop sending me the texts"."""
    opener, is_more = "", False
    for word in words:
        if word in _TEXTS and opener and (opener != "no" or is_more):
            return True
        if word in _NO_MORE:
            opener, is_more = word, False
        elif word not in _BETWEEN_THEM:
            opener = ""
        is_more = is_more or word in ("more", "mas")
    return False


def _has(words: list[str], phrase: list[str]) -> bool:
    first = phrase[0]
    return any(word == first and _begins(words, place, phrase) for place, word in enumerate(words))


def _begins(words: list[str], place: int, phrase: list[str]) -> bool:
    spare = 0
    for part in phrase:
        if part == "*":
            spare = _BETWEEN
            continue
        near = words[place : place + spare + 1]
        if part not in near:
            return False
        place += near.index(part) + 1
        spare = 0
    return True


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text[:4_000]).casefold()
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = re.sub(r"['\u2019\u02bc`\u00b4]", "", plain)
    # "do not" is read as "dont"
    words = _WORD.findall(plain)[:_MOST_WORDS]
    joined: list[str] = []
    for word in words:
        if word == "not" and joined and joined[-1] == "do":
            joined[-1] = "dont"
        else:
            joined.append(word)
    return joined
