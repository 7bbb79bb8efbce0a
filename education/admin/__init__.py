"""The editors' side: the list of pages, writing one, its preview, its history.

Nothing is stored by the admin's own forms. What happens to a page goes through one service each,
which records it; looking at a page is no event, since a page holds nobody's data.
"""

from education.admin.conditions import ConditionAdmin
from education.admin.pages import PageAdmin
from education.admin.pictures import PictureAdmin

__all__ = ["ConditionAdmin", "PageAdmin", "PictureAdmin"]
