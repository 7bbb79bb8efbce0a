"""The admin of pages, conditions and pictures, for editors and clinicians.

The admin stores nothing itself: each act calls one service, which records the act in the audit
trail. Looking at a page is not recorded, because pages contain no data about patients.
"""

from education.admin.conditions import ConditionAdmin
from education.admin.pages import PageAdmin
from education.admin.pictures import PictureAdmin

__all__ = ["ConditionAdmin", "PageAdmin", "PictureAdmin"]
