"""Which sentences count as a promise of the clinic, and which a patient may always read."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from intake import protocols
from intake.domain.definition import Protocol
from intake.domain.languages import ENGLISH, LanguageFacts
from intake.domain.promises import promising_sentences
from intake.protocols.files import Unreadable
from tests.intake.spanish import shipped

SPANISH = protocols.language_facts("es")
assert SPANISH is not None
WORDS: dict[str, LanguageFacts] = {"en": ENGLISH, "es": SPANISH}

PROMISED = [
    ("en", "We will call you today."),
    ("en", "We will read it today."),
    ("en", "We read your answers today."),
    ("en", "A nurse will call you within one working day."),
    ("en", "A clinician will contact you."),
    ("en", "Someone from our clinic will also try to call you today."),
    ("en", "Our adult clinic will call you to find a clinic."),
    ("en", "We will try to see you within 2 weeks."),
    ("en", "We would like to see you."),
    ("en", "We aim to see you within 12 weeks."),
    ("en", "Today we look at your answers."),
    ("en", "A sore should be seen within 2 weeks."),
    ("en", "A vein should be scanned within days."),
    ("en", "It should be checked in the next 2 weeks."),
    ("en", "You hear from us in 3 days."),
    ("en", "You hear from us within 2 clinic hours."),
    ("en", "We talk about your legs at a regular visit."),
    ("en", "We will work with your maternity doctor."),
    ("en", "We will test the blood flow in your legs."),
    ("en", "We want to review it with you."),
    ("en", "We call you."),
    ("es", "Trabajaremos con su médico de maternidad."),
    ("es", "Queremos revisarlo con usted."),
    ("es", "Le llamaremos hoy."),
    ("es", "Lo leeremos hoy."),
    ("es", "Hoy leemos sus respuestas."),
    ("es", "Una enfermera o un enfermero le llamará."),
    ("es", "Alguien de nuestra clínica también intentará llamarle."),
    ("es", "Nos gustaría darle una consulta."),
    ("es", "Intentaremos verle."),
    ("es", "Debe ser revisada en 2 semanas o menos."),
    ("es", "Debe ser revisada en las próximas 2 semanas."),
    ("es", "Debe ser revisada en los próximos días."),
    ("es", "Sabrá de nosotros en un día hábil o menos."),
    ("es", "Sabrá de nosotros en las próximas 2 horas de atención."),
    ("es", "Le veremos en una consulta regular."),
]
ALWAYS_TRUE = [
    ("en", "A new swollen leg needs to be checked today."),
    ("en", "If we are closed, go to urgent care or an emergency room today."),
    ("en", "Call us today."),
    ("en", "Call the doctor who prescribes it this week."),
    ("en", "Call us the same day if it grows."),
    ("en", "Ask us before you use tight stockings."),
    ("en", "A leg sore that has lasted 2 weeks should be seen."),
    ("en", "Leg pain that stops you within 2 blocks should be checked."),
    ("en", "Trouble speaking needs help within minutes."),
    ("en", "Loss of bladder control must be checked within hours."),
    ("en", "Less coffee late in the day, done in the morning."),
    ("en", "Press hard for 10 minutes."),
    ("en", "Say that you are pregnant or were pregnant in the last year."),
    ("en", "Do not wait for our call."),
    ("en", "We read it when we open, on {opening}."),
    ("es", "Lo leemos cuando abrimos, el {opening}."),
    ("es", "Una pierna con hinchazón nueva debe ser revisada hoy."),
    ("es", "Si estamos cerrados, vaya hoy a una sala de emergencias."),
    ("es", "Llame esta semana al médico que se lo receta."),
    ("es", "Llámenos el mismo día si crece."),
    ("es", "Una llaga que ha durado 2 semanas debe ser vista."),
    ("es", "Debe ser revisado en cuestión de horas."),
    ("es", "Un análisis de hierro en la sangre, hecho en la mañana."),
    ("es", "Presione fuerte durante 10 minutos."),
    ("es", "No espere nuestra llamada."),
]


@pytest.mark.parametrize(("language", "sentence"), PROMISED)
def test_a_promise_is_found_in_the_midst_of_other_sentences(language: str, sentence: str) -> None:
    assert promising_sentences(f"Keep it dry. {sentence} Call 911.", WORDS[language]) == [sentence]


@pytest.mark.parametrize(("language", "sentence"), ALWAYS_TRUE)
def test_what_is_always_true_is_no_promise(language: str, sentence: str) -> None:
    assert promising_sentences(sentence, WORDS[language]) == []


def test_each_promise_of_the_shipped_protocol_is_found_as_one(protocol: Protocol) -> None:
    kept = [rule.promise for rule in protocol.rules.rules if rule.promise]
    said = [words.promise for words in shipped().rules.values() if words.promise]
    assert len(kept) == len(said) > 5
    assert all(promising_sentences(text) for text in kept)
    assert all(promising_sentences(text, WORDS["es"]) for text in said)


def test_every_language_of_a_protocol_has_its_patterns() -> None:
    spoken = {code for name in protocols.available() for code in protocols.languages(name)}
    assert spoken
    assert all(protocols.language_facts(code) for code in spoken)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"promises": ["nous ("]}, "“nous (” cannot be used"),
        ({"alarms": {"chest": "J’ai mal à la poitrine."}}, "“alarms” has no “breath”"),
    ],
)
def test_a_slip_in_the_facts_of_a_language_is_named_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], said: str
) -> None:
    whole = msgspec.to_builtins(SPANISH) | change
    (tmp_path / "languages").mkdir()
    (tmp_path / "languages" / "qq.yaml").write_text(yaml.safe_dump(whole, allow_unicode=True))
    monkeypatch.setattr(protocols, "HERE", tmp_path)

    with pytest.raises(Unreadable) as slip:
        protocols.language_facts("qq")

    assert said in str(slip.value)
    assert "languages/qq.yaml, line " in str(slip.value)
