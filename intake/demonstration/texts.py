"""Invented texts to the clinic's number, which take the way of real ones."""

from clinic.outgoing import texts_in
from clinic.outgoing.texts_in import TextIn

TEXTS = (
    ("+12025550161", "CANCEL", 0),
    ("+12025550162", "\u00bfA qu\u00e9 hora es la cita de mi mam\u00e1?", 0),
    ("+12025550162", "", 1),
    ("+12025550163", "I think you have the wrong number", 0),
)


def load() -> None:
    for place, (number, words, pictures) in enumerate(TEXTS):
        text = TextIn(
            provider_id=f"demonstration-{place}", number=number, words=words, pictures=pictures
        )
        texts_in.take(text)
