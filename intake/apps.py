from django.apps import AppConfig

from clinic import sweeps
from clinic.people import leaving


class IntakeConfig(AppConfig):
    name = "intake"
    verbose_name = "Intake and triage"

    def ready(self) -> None:
        # register the protocol's system checks, and what messages say
        from intake import checks  # noqa: F401
        from intake.appointments import offers
        from intake.letters import (
            access_codes,  # noqa: F401
            appointments,  # noqa: F401
            messages,  # noqa: F401
        )
        from intake.staff.leaving import give_back
        from intake.ways import escalation, waiting

        sweeps.each_minute(offers.lapse)
        sweeps.each_minute(escalation.escalate)
        sweeps.each_minute(waiting.return_unanswered)
        leaving.on_change(give_back)
