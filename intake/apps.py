from django.apps import AppConfig

from clinic import sweeps
from clinic.people import leaving


class IntakeConfig(AppConfig):
    name = "intake"
    verbose_name = "Intake and triage"

    def ready(self) -> None:
        """Register the system checks, the composers of letters, and the chores of each minute."""
        from intake import checks  # noqa: F401
        from intake.appointments import offers
        from intake.letters import access_codes, appointments, patients, staff  # noqa: F401
        from intake.staff.leaving import give_back
        from intake.ways import escalation, waiting

        sweeps.each_minute(offers.lapse)
        sweeps.each_minute(escalation.escalate)
        sweeps.each_minute(waiting.return_unanswered)
        leaving.on_change(give_back)
