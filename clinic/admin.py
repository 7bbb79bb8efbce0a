"""Where Django looks for the admin pages: each room registers its own."""

from clinic.audit import admin as audit
from clinic.outgoing import admin as outgoing
from clinic.people import admin as people

__all__ = ["audit", "outgoing", "people"]
