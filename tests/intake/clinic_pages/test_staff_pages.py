"""What staff enter about the clinic: who may, what is refused and recorded, what is missing."""

import pytest
from django.core.management import call_command

from clinic.models import Event
from clinic.pagecache import rendered
from clinic.translated import Translated
from intake.appointments import clinic_time
from intake.clinic_pages import missing, storing
from intake.demonstration import bulk
from intake.models.clinic_pages import (
    ClinicianProfile,
    ClinicText,
    InsurancePlan,
    LocationProfile,
    TextKind,
)
from intake.models.clinic_time import Clinician, Location
from tests import builders
from tests.intake import book
from tests.intake.clinic_pages import samples

pytestmark = pytest.mark.django_db
ADD = {
    "locationprofile": {"parking_en": "Behind", "parking_es": "Detrás", "access": ["lift"]},
    "clinicianprofile": {"role_en": "Doctor", "order": "0"},
    "insuranceplan": {"name": "A plan", "is_accepted": "on"},
    "clinictext": {"kind": "referral", "text_en": "None needed"},
}


def address(name: str, *, pk: object = None) -> str:
    return f"/admin/intake/{name}/" + ("add/" if pk is None else f"{pk}/change/")


def filled(model: str, **more: object) -> dict[str, object]:
    own = {
        "locationprofile": {"location": str(book.location().pk)},
        "clinicianprofile": {"clinician": str(book.clinician().pk)},
    }
    return ADD[model] | own.get(model, {}) | more


@pytest.mark.parametrize("name", ADD)
@pytest.mark.parametrize("role", ["content editor", "administrator"])
def test_an_editor_adds_a_row_and_the_trail_names_its_fields(name, role):
    client = builders.staff_client(role)
    response = client.post(address(name), filled(name))

    assert response.status_code == 302, response.context["adminform"].form.errors
    event = Event.objects.filter(action="create").latest("seq")
    assert event.detail["kind"] == name
    assert event.detail["fields"]
    assert "Behind" not in str(event.detail)
    assert client.get(f"/admin/intake/{name}/").status_code == 200


def test_texts_are_stored_by_language_and_shown_again():
    client = builders.staff_client("content editor")
    client.post(address("locationprofile"), filled("locationprofile"))
    row = LocationProfile.objects.get()

    assert row.parking == {"en": "Behind", "es": "Detrás"}
    assert row.access == ["lift"]
    page = client.get(address("locationprofile", pk=row.pk)).content.decode()
    assert "Detrás</textarea>" in page
    client.post(
        address("locationprofile", pk=row.pk), filled("locationprofile", parking_es="Atrás")
    )
    assert Event.objects.filter(action="update").latest("seq").detail["fields"] == ["parking"]


@pytest.mark.parametrize(("name", "wrong", "field"), [
    ("locationprofile", {"latitude": "38.9"}, "__all__"),
    ("locationprofile", {"latitude": "98.9", "longitude": "1"}, "latitude"),
    ("locationprofile", {"parking_en": "", "parking_es": "Detrás"}, "parking"),
    ("locationprofile", {"access": ["sauna"]}, "access"),
    ("locationprofile", {"parking_en": "x" * 2001}, "parking"),
    ("clinicianprofile", {"order": "-1"}, "order"),
    ("clinicianprofile", {"picture": "00000000-0000-0000-0000-000000000000"}, "picture"),
    ("clinictext", {"kind": "referral", "text_en": ""}, "text"),
    ("clinictext", {"kind": "gossip"}, "kind"),
    ("insuranceplan", {"name": " "}, "name"),
])  # fmt: skip
def test_a_slip_has_its_sentence_and_what_was_typed_stays(name, wrong, field):
    client = builders.staff_client("content editor")
    response = client.post(address(name), filled(name, **wrong))

    assert response.status_code == 200
    assert field in response.context["adminform"].form.errors
    for name in {"latitude", "parking_en", "parking_es", "order"} & wrong.keys():
        assert str(wrong[name]) in response.content.decode()


def test_a_second_profile_of_one_place_is_refused():
    client = builders.staff_client("content editor")
    client.post(address("locationprofile"), filled("locationprofile"))
    again = client.post(address("locationprofile"), filled("locationprofile"))

    assert "location" in again.context["adminform"].form.errors


def test_a_text_in_a_language_that_is_not_offered_now_is_kept(settings):
    row = InsurancePlan.objects.create(name="A", note=Translated(en="One", es="Uno"))
    settings.LANGUAGES = [("en", "English")]
    client = builders.staff_client("content editor")
    given = {"name": "A", "is_accepted": "on", "note_en": "Two"}
    assert client.post(address("insuranceplan", pk=row.pk), given).status_code == 302

    row.refresh_from_db()
    assert row.note == {"en": "Two", "es": "Uno"}


@pytest.mark.django_db(transaction=True)
def test_a_stored_change_renews_the_public_pages(monkeypatch):
    renewed = []
    monkeypatch.setattr(rendered, "renew", lambda **given: renewed.append(given))
    by = builders.member("content editor")
    storing.save_row(row=InsurancePlan(name="A"), fields={"name"}, by=by)

    assert len(renewed) == 1


def test_the_demonstration_and_any_change_of_clinic_time_renew_them_too(
    monkeypatch, django_capture_on_commit_callbacks
):
    renewed = []
    monkeypatch.setattr(rendered, "renew", lambda **given: renewed.append(given))
    with django_capture_on_commit_callbacks(execute=True):
        bulk.load_book(clinicians=[("Dr. Lee", None)])
    assert len(renewed) == 1

    row = Clinician.objects.get()
    with django_capture_on_commit_callbacks(execute=True):
        clinic_time.save_clinic_time(
            row=row, links={}, fields={"name"}, by=builders.member("front desk")
        )
    assert len(renewed) == 2


def test_what_is_missing_is_named_until_it_is_there(settings):
    settings.DEMO = False
    place = book.location()
    found = missing.find()
    assert "Contact: Main clinic has no address, the way to the door, bus and train, parking," in (
        " ".join(found)
    )
    assert "People: no clinician is published." in found
    assert "Costs: no insurance plan is accepted." in found
    assert sum("Short texts" in sentence for sentence in found) == len(TextKind) - 1
    warned = missing.public_pages(databases=["default"])
    assert [each.msg for each in warned] == found

    place.delete()
    samples.whole()
    assert missing.find() == []

    ClinicText.objects.filter(kind="minors").update(text=Translated(en="Only this"))
    ClinicianProfile.objects.filter(order=0).update(credentials="")
    assert missing.find() == [
        "People: Dr. Lee has no credentials.",
        "What a visit of a minor needs: a text is not translated (es).",
    ]


def test_a_demonstration_and_a_check_without_a_database_warn_of_nothing(settings):
    assert missing.public_pages(databases=["default"]) == []
    settings.DEMO = False
    assert missing.public_pages(databases=None) == []


def test_the_program_invents_nothing_for_a_clinic():
    call_command("load_pages", verbosity=0)
    for model in (LocationProfile, ClinicianProfile, InsurancePlan, ClinicText):
        assert not model.objects.exists()
    assert not Location.objects.exists()
    assert not Clinician.objects.exists()
