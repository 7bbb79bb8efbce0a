from django.apps import AppConfig

from clinic import leaving, sweeps


class IntakeConfig(AppConfig):
    name = "intake"
    verbose_name = "Intake and triage"

    def ready(self) -> None:
        # register the protocol's system checks, and what messages say
        from intake import appointment_messages, checks, messages, ways_back  # noqa: F401
        from intake.services import appointments, escalation, waiting
        from intake.services.leaving import give_back

        sweeps.each_minute(appointments.lapse)
        sweeps.each_minute(escalation.escalate)
        sweeps.each_minute(waiting.come_back)
        leaving.on_change(give_back)
