"""The old name of the sign-in, kept for one release: open sessions contain this name."""

from clinic.people.sign_in import RoleBackend

__all__ = ["RoleBackend"]
