from django.apps import AppConfig

from clinic import sweeps


class IntakeConfig(AppConfig):
    name = "intake"
    verbose_name = "Intake and triage"

    def ready(self) -> None:
        # register the protocol's system checks, and what messages say
        from intake import appointment_messages, checks, messages, ways_back  # noqa: F401
        from intake.services import appointments, waiting

        sweeps.each_minute(appointments.lapse)
        sweeps.each_minute(waiting.come_back)
