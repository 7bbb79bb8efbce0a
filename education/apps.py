from django.apps import AppConfig


class EducationConfig(AppConfig):
    name = "education"
    verbose_name = "Pages about conditions"

    def ready(self) -> None:
        # importing these two modules registers the system checks and the composer
        from education import (
            checks,  # noqa: F401
            messages,  # noqa: F401
        )
