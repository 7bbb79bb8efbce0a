"""The complete table of roles, and the groups in the database that follow from it."""

import pytest
from django.contrib.auth.models import Group, Permission

from clinic.people import roles

MESSAGES = {"clinic.view_message", "clinic.settle_message"}
CLINIC_TIME = {
    f"intake.{verb}_{what}"
    for what in ("location", "clinician", "visittype", "openinghours", "closure")
    for verb in ("view", "add", "change")
} | {"intake.delete_openinghours", "intake.delete_closure", "intake.view_holiday"}
# what the public pages say of the clinic; nothing of it is about a patient
CLINIC_PAGES = {
    f"intake.{verb}_{what}"
    for what in ("locationprofile", "clinicianprofile", "insuranceplan", "clinictext")
    for verb in ("view", "add", "change")
}
SUBMISSIONS = {"intake.view_submission", "intake.decide_submission", "intake.add_finding"}
CALLS = {"intake.view_calltask", "intake.change_calltask"}
ROTA = {f"intake.{verb}_oncall" for verb in ("view", "add", "change", "delete")}
LEAVE = {f"intake.{verb}_leave" for verb in ("view", "add", "change", "delete")}
RED_FLAGS = {"intake.view_openredflag"}
INVITATIONS = {f"intake.{verb}_invitation" for verb in ("view", "add", "change")}
TABLE = {
    "clinician": {
        *("intake.view_appointment", "intake.export_submission", "intake.enter_by_phone"),
        *(
            "education.view_page",
            "education.review_page",
            "intake.change_notreachedprocedure",
            "intake.sign_letter",
        ),
    }
    | SUBMISSIONS
    | CALLS
    | INVITATIONS
    | LEAVE
    | MESSAGES
    | RED_FLAGS,
    "duty": SUBMISSIONS | CALLS | LEAVE | MESSAGES | RED_FLAGS | ROTA,
    "front desk": {
        *("intake.view_frontdesk", "intake.change_frontdesk", "intake.view_appointment"),
        *("intake.change_appointment", "intake.overbook_appointment", "intake.enter_by_phone"),
    }
    | CLINIC_TIME
    | CALLS
    | INVITATIONS
    | MESSAGES
    | ROTA,
    "content editor": {
        *("education.view_page", "education.change_page", "education.publish_page"),
    }
    | CLINIC_PAGES,
    "auditor": {"clinic.view_event", "clinic.view_message", "intake.view_accessreport"},
    "administrator": {
        *("auth.view_user", "auth.add_user", "auth.change_user", "intake.manage_leave"),
    }
    | CLINIC_PAGES
    | LEAVE,
}


def groups() -> dict[str, set[str]]:
    return {
        group.name: {
            f"{app}.{code}"
            for app, code in group.permissions.values_list("content_type__app_label", "codename")
        }
        for group in Group.objects.all()
    }


def test_the_table_is_this_one():
    assert roles.ROLES == TABLE


@pytest.mark.django_db
def test_migrating_makes_the_groups_with_exactly_these_permissions():
    assert groups() == TABLE


@pytest.mark.django_db
def test_a_permission_given_by_hand_is_taken_back_and_one_taken_is_given_back():
    desk = Group.objects.get(name="front desk")
    desk.permissions.set([Permission.objects.get(codename="delete_user")])

    assert roles.sync() == []
    assert roles.sync() == []
    assert groups() == TABLE


@pytest.mark.django_db
def test_a_permission_that_does_not_exist_is_reported_and_left_out(monkeypatch):
    monkeypatch.setitem(roles.ROLES, "auditor", roles.ROLES["auditor"] | {"moon.walk"})

    assert roles.sync() == ["moon.walk"]
    assert groups() == TABLE


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(TABLE))
def test_only_the_clinical_roles_reach_patient_data(django_user_model, name):
    user = django_user_model.objects.create_user("somebody", is_staff=True)
    user.groups.add(Group.objects.get(name=name))

    rights = user.get_all_permissions() - CLINIC_PAGES - LEAVE
    # an access report names no patient to its reader
    rights -= {"intake.manage_leave", "intake.view_accessreport"}
    sees = any(right.startswith("intake.") for right in rights)
    assert sees == (name in {"clinician", "duty", "front desk"})
