"""Who may do what: one table, kept in code, brought into the database after every migration.

A group has exactly the permissions written here: what someone adds by hand in a database is gone
after the next migration, and what is taken out here is taken out there. Superusers exist for
nobody; an administrator manages people and sees no patient data.
"""

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, transaction

_SUBMISSIONS = frozenset({"intake.view_submission", "intake.decide_submission"})
_FRONT_DESK = frozenset({"intake.view_frontdesk", "intake.change_frontdesk"})
_APPOINTMENTS = frozenset(f"intake.{verb}_appointment" for verb in ("view", "change", "overbook"))
# Where, who, what and when. The front desk's, not the administrator's: a closure shows whose visits
# it hits. What visits are booked with is put out of use; hours and closures alone can be deleted.
_CLINIC_TIME = frozenset(
    f"intake.{verb}_{what}"
    for what in ("location", "clinician", "visittype", "openinghours", "closure")
    for verb in ("view", "add", "change")
) | {"intake.delete_openinghours", "intake.delete_closure"}
_MESSAGES = frozenset({"clinic.view_message", "clinic.settle_message"})
_CALLS = frozenset({"intake.view_calltask", "intake.change_calltask"})
_READ_PAGES = frozenset({"education.view_page"})

ROLES: dict[str, frozenset[str]] = {
    # of the appointments, those that are theirs
    "clinician": _SUBMISSIONS
    | _CALLS
    | _MESSAGES
    | _READ_PAGES
    | {"education.review_page", "intake.view_appointment"},
    # is the first to hear of a red flag that no clinician has seen to
    "duty": _SUBMISSIONS | _CALLS | _MESSAGES,
    "front desk": _FRONT_DESK | _APPOINTMENTS | _CLINIC_TIME | _CALLS | _MESSAGES,
    # writes and publishes; that it is medically right is a clinician's word
    "content editor": _READ_PAGES | {"education.change_page", "education.publish_page"},
    "auditor": frozenset({"clinic.view_event", "clinic.view_message"}),
    "administrator": frozenset({"auth.view_user", "auth.add_user", "auth.change_user"}),
}


def sync(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Make the groups and give them exactly their permissions.

    Returns the permissions of the table that do not exist (an app not migrated yet, a slip of the
    pen): a test wants the list to be empty once everything is there.
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


def after_migrate(sender, using=DEFAULT_DB_ALIAS, **kwargs):
    """`post_migrate`, once: after the last app, when every permission has been made."""
    last = [config for config in apps.get_app_configs() if config.models_module][-1]
    if sender is last:
        sync(using)
