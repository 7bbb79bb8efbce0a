"""Forms: what a page looks like, and how the contact, the wish and the short forms are read."""

from intake.forms.contact import ContactForm
from intake.forms.returning import CodeForm, FindForm, ReplyForm, ReturnForm, TellForm
from intake.forms.times import TimesForm
from intake.forms.walk import PageForm
from intake.forms.wish import Choices, WishForm

__all__ = [
    "Choices",
    "CodeForm",
    "ContactForm",
    "FindForm",
    "PageForm",
    "ReplyForm",
    "ReturnForm",
    "TellForm",
    "TimesForm",
    "WishForm",
]
