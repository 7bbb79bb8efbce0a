"""Forms: what a page looks like, and how the contact, the wish and the short forms are read."""

from intake.forms.contact import ContactForm, WishForm
from intake.forms.returning import CodeForm, FindForm, ReplyForm, ReturnForm, TellForm
from intake.forms.walk import PageForm

__all__ = [
    "CodeForm",
    "ContactForm",
    "FindForm",
    "PageForm",
    "ReplyForm",
    "ReturnForm",
    "TellForm",
    "WishForm",
]
