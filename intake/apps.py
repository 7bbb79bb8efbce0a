from django.apps import AppConfig

from clinic import hours, sweeps
from clinic.people import leaving


class IntakeConfig(AppConfig):
    name = "intake"
    verbose_name = "Intake and triage"

    def ready(self) -> None:
        """Register the system checks, the composers of letters, chores, and the calendar.

        A module that is imported here and not used registers itself when it is imported.
        """
        from intake import calendars, checks  # noqa: F401
        from intake.appointments import offers, public_holidays
        from intake.clinic_pages import missing  # noqa: F401
        from intake.invitations import following
        from intake.letters import (  # noqa: F401
            access_codes,
            appointments,
            invitations,
            patients,
            staff,
        )
        from intake.questionnaire import reminding, usual_minutes
        from intake.staff.leaving import give_back
        from intake.ways import contact_points, escalation, waiting  # noqa: F401

        sweeps.each_minute(offers.lapse)
        sweeps.each_minute(public_holidays.propose)
        sweeps.each_minute(escalation.escalate)
        sweeps.each_minute(waiting.return_unanswered)
        sweeps.each_minute(following.remind)
        sweeps.each_minute(reminding.remind)
        sweeps.each_minute(usual_minutes.compute)
        leaving.on_change(give_back)
        hours.calendar.register(calendars.read)
        usual_minutes.usual.register(usual_minutes.read)
