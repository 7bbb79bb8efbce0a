"""An option may have a drawing, for patients who know what they see but not the word."""

import msgspec
import pytest

from clinic.templatetags.forms_pack import drawing_url
from intake import protocols
from intake.protocols import faults
from tests.intake.patient import Patient

pytestmark = pytest.mark.django_db


def test_each_sign_of_the_veins_has_its_drawing_beside_the_words():
    patient = Patient()
    patient.start()
    page = patient.walk_to("veins")
    question = protocols.load("legs").question("vein_look")
    drawn = [option.code for option in question.options if option.drawing]
    assert len(drawn) == 7
    for code in drawn:
        assert f"/static/img/options/{code}." in page.html
    assert page.html.count('alt="" width="54"') == len(drawn)


def test_a_drawing_that_is_not_there_is_told_with_its_line():
    legs = protocols.load("legs")
    section = next(s for s in legs.questionnaire.sections if s.questions[0].options)
    question = section.questions[0]
    option = msgspec.structs.replace(question.options[0], drawing="nowhere")
    changed = msgspec.structs.replace(question, options=(option, *question.options[1:]))
    one = msgspec.structs.replace(section, questions=(changed, *section.questions[1:]))
    sections = tuple(one if s is section else s for s in legs.questionnaire.sections)
    questions = msgspec.structs.replace(legs.questionnaire, sections=sections)
    broken = msgspec.structs.replace(legs, questionnaire=questions)

    told = [str(fault) for fault in faults.of_protocol(broken, protocols.HERE / "legs")]
    assert any("There is no static/img/options/nowhere.svg." in text for text in told)


def test_a_draft_of_an_older_protocol_goes_on_without_its_picture(settings):
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    }
    assert drawing_url("of-an-older-release") == ""
