from django.apps import AppConfig
from django.db.models.signals import post_migrate


class EducationConfig(AppConfig):
    name = "education"
    verbose_name = "Pages about conditions"

    def ready(self) -> None:
        # importing these two modules registers the system checks and the composer
        from education import (
            checks,  # noqa: F401
            messages,  # noqa: F401
        )
        from education.services import stems

        post_migrate.connect(stems.after_migrate, sender=self)
