"""What a text to the clinic's number asks for: any plain wording ends the text messages."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.domain.text_words import Meaning, meaning

REVOKING = """
STOP | stop | Stop. | STOP! | "STOP" | stop stop stop | STOP ALL | STOPALL | S\u0301TOP | ＳＴＯＰ
END | QUIT | UNSUBSCRIBE | Unsubscribe me | REVOKE | OPT OUT | OPTOUT | opt-out | Opt me out please
please stop | Please stop texting me | stop texting me please!! | Stop sending me messages
stop the texts | quit texting this number | don't text me | Don\u2019t text me anymore
do not text me again | do not ever message me
DO NOT CONTACT ME | no more texts | No more messages please
never text this number again
I don't want any more of these messages | I do not want texts from you | end messages
take me off your list | remove me | remove my number | Leave me alone | I revoke my consent
STOP 123456 | 123456 STOP | Stop it now
stop, my code was 123456 no thanks just stop texting
I said stop | cancel these texts | cancel text messages | end texts | stop contacting me
ALTO | Alto por favor | alto! | PARE | paren ya | BASTA | baja | darme de baja | FIN
no me escriban | No me escriban m\u00e1s | por favor no me escriban | No me manden mensajes
no me env\u00eden m\u00e1s textos | Dejen de escribirme
deje de mandarme mensajes | no m\u00e1s mensajes
ya no me manden nada | No quiero recibir mensajes
no quiero m\u00e1s mensajes | qu\u00edtenme de la lista
b\u00f3rrenme | borren mi n\u00famero
"""
WRONG = """
wrong number | You have the wrong number | this is the wrong person | Wrong number, stop
n\u00famero equivocado | Se equivoc\u00f3 de n\u00famero | numero incorrecto | I am not a patient
"""
CANCELLING = "CANCEL | cancel | Cancel please | CANCEL 123456 | Cancelar | cancelar por favor"
VISITING = """
cancel my appointment | I need to cancel my visit | Please cancel the appointment on Friday
cancelar mi cita | Quiero cancelar la cita
"""
STARTING = "START | start | UNSTOP | Start please | Empezar | start again".replace(
    " | start again", ""
)
OTHER = """
Yes | OK thanks | 123456 | My legs hurt | I can't stop moving my legs at night
Can I stop by tomorrow? | The pain does not stop | When does the visit end?
I stopped the pills as you said | Running late, sorry | Who is this? | HELP | s\u00ed | gracias
Could you send the message again? | I got your message | No, I can come at 9
No, I got your message | I don't see your message | I never got your text | No message came
dej\u00e9 de fumar | no m\u00e1s dolor
The pain won't stop, I got your message | Don't cancel please
\u00bfA qu\u00e9 hora es mi cita? | no puedo dormir | my mother quit smoking | ??? | \U0001f44d
The bleeding won't stop
"""


def rows(block):
    return [
        text.strip() for line in block.splitlines() for text in line.split(" | ") if text.strip()
    ]


@pytest.mark.parametrize(
    ("block", "wanted"),
    [
        (REVOKING, Meaning.STOP),
        (WRONG, Meaning.WRONG),
        (CANCELLING, Meaning.CANCEL),
        (VISITING, Meaning.VISIT),
        (STARTING, Meaning.START),
        (OTHER, Meaning.OTHER),
    ],
)
def test_each_wording_means_what_its_writer_means(block, wanted):
    read = {text: meaning(text) for text in rows(block)}

    assert {text: found for text, found in read.items() if found != wanted} == {}


KEYWORDS = ["stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"]


@given(
    st.sampled_from(KEYWORDS),
    st.sampled_from([str.upper, str.lower, str.title]),
    st.text(" .,!?-\n\t'\"()123456789", max_size=8),
    st.text(" .,!?-\n\t'\"()123456789", max_size=8),
)
def test_a_word_of_the_rule_revokes_in_any_case_with_marks_and_a_code_around_it(
    word, case, before, after
):
    """47 CFR 64.1200(a)(10) names these words."""
    assert meaning(before + case(word) + after).revokes


@given(st.text(max_size=300))
def test_any_text_has_a_meaning(text):
    assert meaning(text) in Meaning


@pytest.mark.parametrize(
    "text", ["", "  ", "\0", "\u200b", "stop " * 5_000, "no me " * 5_000, "a" * 50_000]
)
def test_an_odd_or_long_text_takes_no_time(text):
    begun = time.perf_counter()
    meaning(text)

    assert time.perf_counter() - begun < 0.2
