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
        from intake.desk import closing, pending
        from intake.invitations import following
        from intake.letters import (  # noqa: F401
            access_codes,
            appointments,
            corrections,
            invitations,
            patients,
            staff,
        )
        from intake.phone import entering
        from intake.questionnaire import reminding, usual_minutes
        from intake.staff import leaving as leaving_staff
        from intake.ways import (  # noqa: F401
            contact_points,
            escalation,
            received_texts,
            safe_contact,
            waiting,
        )

        sweeps.each_minute(offers.lapse)
        sweeps.each_minute(public_holidays.propose)
        sweeps.each_minute(escalation.escalate)
        sweeps.each_minute(received_texts.escalate)
        sweeps.each_minute(waiting.return_unanswered)
        sweeps.each_minute(following.remind)
        sweeps.each_minute(reminding.remind)
        sweeps.each_minute(usual_minutes.compute)
        sweeps.each_minute(closing.close_kept)
        sweeps.each_minute(pending.apply_due)
        sweeps.each_minute(leaving_staff.begin_leaves)
        sweeps.each_minute(safe_contact.mark_calls_of_the_grown_up)
        sweeps.each_minute(leaving_staff.give_back_idle)
        leaving.on_change(leaving_staff.give_back)
        leaving.on_change(entering.give_back)
        hours.calendar.register(calendars.read)
        usual_minutes.usual.register(usual_minutes.read)
