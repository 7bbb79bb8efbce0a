from django.apps import AppConfig
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS
from django.db.models.signals import post_migrate


class ClinicConfig(AppConfig):
    name = "clinic"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        # the first two register themselves
        from clinic import anchors, checks, roles, staff  # noqa: F401

        staff.listen()
        post_migrate.connect(make_cache_table, sender=self)
        post_migrate.connect(roles.after_migrate)


def make_cache_table(sender, using=DEFAULT_DB_ALIAS, **kwargs):
    """The cache is a table made by a command of its own, which leaves one that is there alone."""
    call_command("createcachetable", database=using, verbosity=0)
