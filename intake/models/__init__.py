"""What is stored, and how it is read. Modules that write are named in tests/test_architecture.py."""

# Django finds the models of an app here
from intake.models import access, appointments, calls, clinic_time, people, submissions  # noqa: F401
