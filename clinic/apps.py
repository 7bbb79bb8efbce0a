from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ClinicConfig(AppConfig):
    name = "clinic"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        # the first two register themselves
        from clinic import anchors, checks, roles, staff  # noqa: F401

        staff.listen()
        post_migrate.connect(roles.after_migrate)
