from django.apps import AppConfig


class EducationConfig(AppConfig):
    name = "education"
    verbose_name = "Pages about conditions"

    def ready(self) -> None:
        # register the system checks of the pages, and what writes their mails
        from education import (
            checks,  # noqa: F401
            messages,  # noqa: F401
        )
