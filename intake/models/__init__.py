"""What is stored, and how it is read. tests/test_architecture.py names the modules that write."""

# Django finds the models of an app here
from intake.models import access, appointments, calls, clinic_time, people, submissions  # noqa: F401
