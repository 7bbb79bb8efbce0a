from django.apps import AppConfig
from django.db.models.signals import post_migrate

from clinic import sweeps


class ClinicConfig(AppConfig):
    name = "clinic"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # importing these two modules registers their system checks and their composer
        from clinic import checks  # noqa: F401
        from clinic.outgoing import anchors  # noqa: F401
        from clinic.people import roles, sign_in, unsent

        sign_in.connect_handlers()
        sweeps.each_minute(unsent.prune)
        post_migrate.connect(roles.after_migrate)
