from django.apps import AppConfig


class EducationConfig(AppConfig):
    name = "education"
    verbose_name = "Pages about conditions"

    def ready(self) -> None:
        # these two register themselves
        from education import (
            checks,  # noqa: F401
            messages,  # noqa: F401
        )
