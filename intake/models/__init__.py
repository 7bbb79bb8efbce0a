"""The stored data and the queries that read it.

tests/test_architecture.py names the modules that may write.
"""

# Django finds the models of an app through this import.
from intake.models import (  # noqa: F401
    access,
    access_report,
    appointments,
    calls,
    chart,
    clinic_pages,
    clinic_time,
    clinical_letters,
    contact_points,
    corrections,
    findings,
    invitations,
    notes,
    pending,
    people,
    phone_calls,
    received_texts,
    rota,
    safe_contact,
    same_person,
    submissions,
)
