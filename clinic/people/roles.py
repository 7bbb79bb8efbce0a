"""The permissions of each role: one table in code, written to the database after every migration.

Each role is a group of Django with exactly the permissions of this table. A permission that was
added by hand in the database is removed by the next migration. Nobody is a superuser. An
administrator manages accounts and sees no patient data.
"""

from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, transaction
from django.utils.translation import gettext_lazy as _

_SUBMISSIONS = frozenset(
    {"intake.view_submission", "intake.decide_submission", "intake.add_finding"}
)
_FRONT_DESK = frozenset({"intake.view_frontdesk", "intake.change_frontdesk"})
_APPOINTMENTS = frozenset(f"intake.{verb}_appointment" for verb in ("view", "change", "overbook"))
# The front desk, not the administrator, manages the clinic's time, because the page of a closure
# shows the patients whose visits it affects. Only hours and closures can be deleted. Locations,
# clinicians and visit types are marked as out of use instead, because visits refer to them.
_CLINIC_TIME = frozenset(
    f"intake.{verb}_{what}"
    for what in ("location", "clinician", "visittype", "openinghours", "closure")
    for verb in ("view", "add", "change")
) | {"intake.delete_openinghours", "intake.delete_closure", "intake.view_holiday"}
# who gets the letters about red flags while the clinic is closed
_ROTA = frozenset(f"intake.{verb}_oncall" for verb in ("view", "add", "change", "delete"))
_LEAVE = frozenset(f"intake.{verb}_leave" for verb in ("view", "add", "change", "delete"))
_RED_FLAGS = frozenset({"intake.view_openredflag"})
# What the public pages say of the clinic. Nothing of it is about a patient, and nothing of it
# changes which times are free.
_CLINIC_PAGES = frozenset(
    f"intake.{verb}_{what}"
    for what in ("locationprofile", "clinicianprofile", "insuranceplan", "clinictext")
    for verb in ("view", "add", "change")
)
_MESSAGES = frozenset({"clinic.view_message", "clinic.settle_message"})
_CALLS = frozenset({"intake.view_calltask", "intake.change_calltask"})
# a list of invitations names patients, so only those who invite see it
_INVITATIONS = frozenset(f"intake.{verb}_invitation" for verb in ("view", "add", "change"))
_PHONE = frozenset({"intake.enter_by_phone"})
_READ_PAGES = frozenset({"education.view_page"})

ROLES: dict[str, frozenset[str]] = {
    # a clinician sees only their own appointments: the admin of `intake` filters them
    "clinician": _SUBMISSIONS
    | _RED_FLAGS
    | _LEAVE
    | _CALLS
    | _INVITATIONS
    | _PHONE
    | _MESSAGES
    | _READ_PAGES
    | {"education.review_page", "intake.view_appointment", "intake.export_submission"}
    | {"intake.change_notreachedprocedure", "intake.sign_letter"},
    # the duty role is told first of a red flag that no clinician has attended to
    "duty": _SUBMISSIONS | _RED_FLAGS | _LEAVE | _ROTA | _CALLS | _MESSAGES,
    "front desk": _FRONT_DESK
    | _APPOINTMENTS
    | _CLINIC_TIME
    | _ROTA
    | _CALLS
    | _PHONE
    | _INVITATIONS
    | _MESSAGES,
    # a content editor writes and publishes; a clinician confirms that the text is medically right
    "content editor": _READ_PAGES
    | _CLINIC_PAGES
    | {"education.change_page", "education.publish_page"},
    "auditor": frozenset({"clinic.view_event", "clinic.view_message", "intake.view_accessreport"}),
    "administrator": _CLINIC_PAGES
    | _LEAVE
    | frozenset({"intake.manage_leave"})
    | frozenset({"auth.view_user", "auth.add_user", "auth.change_user"}),
}

ROLE_WORDS = {
    "clinician": _("reads submissions and decides on them, writes and signs letters, exports"),
    "duty": _("as a clinician without exports; is told first of a red flag nobody attends to"),
    "front desk": _("books visits, calls patients, keeps clinic time; reads no answers"),
    "content editor": _("writes and publishes the public pages; sees no patient"),
    "auditor": _("reads who looked at which record, and the mail queue; sees no name"),
    "administrator": _("makes accounts, gives roles, keeps leave; sees no patient"),
}
"""What each role may do, in words, for those who give roles."""


def sync(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Make the groups and give each group exactly its permissions in ROLES.

    Returns the permissions of ROLES that do not exist, because an app is not migrated yet or a name
    is misspelled. A test expects an empty list once all apps are migrated.
    """
    from django.contrib.auth.models import Group, Permission

    known = {
        f"{row.content_type.app_label}.{row.codename}": row
        for row in Permission.objects.using(using).select_related("content_type")
    }
    with transaction.atomic(using=using):
        for name, wanted in ROLES.items():
            group, _created = Group.objects.using(using).get_or_create(name=name)
            group.permissions.set([known[code] for code in sorted(wanted & known.keys())])
    return sorted(set().union(*ROLES.values()) - known.keys())


def after_migrate(sender: object, using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Run `sync` once per `migrate`, after the last app, because then every permission exists."""
    last = [config for config in apps.get_app_configs() if config.models_module][-1]
    if sender is last:
        sync(using)
