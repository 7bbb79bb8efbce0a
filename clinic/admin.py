"""Import the admin pages of all rooms, because Django looks for admin pages in this module."""

from clinic.audit import admin as audit
from clinic.outgoing import admin as outgoing
from clinic.people import admin as people

__all__ = ["audit", "outgoing", "people"]
