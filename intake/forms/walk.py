"""What all forms of the walk share, and the pages of the questionnaire.

A page is cleaned by the domain (intake.domain.answers); PageForm only shows it.
"""

from collections.abc import Mapping
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.forms.utils import ErrorDict
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from intake.advice import speak
from intake.domain import answers as domain
from intake.domain.definition import Page, Question


class WalkForm(forms.Form):
    """What all forms of the walk share: our template pack inside our own <form> element."""

    single_question = False

    def control_names(self) -> set[str]:
        """The names of all controls that this form sends."""
        names = set()
        for name, field in self.fields.items():
            parts = getattr(field.widget, "widgets_names", [""])
            names |= {f"{name}{part}" for part in parts}
        return names

    @property
    def helper(self) -> FormHelper:
        helper = FormHelper()
        helper.form_tag = False
        helper.disable_csrf = True
        return helper


class OnceForm(WalkForm):
    """A form whose every control takes one value."""

    def clean(self) -> dict[str, Any]:
        sent_once(self)
        return self.cleaned_data


def sent_once(form: forms.Form) -> None:
    """A control that takes one value and came with several was not filled in by our page."""
    for name, field in form.fields.items():
        single = not isinstance(field, forms.MultipleChoiceField)
        parts = getattr(field.widget, "widgets_names", [""])
        if single and any(len(form.data.getlist(f"{name}{part}")) > 1 for part in parts):
            form.add_error(name, _("This was sent twice. Give one answer."))


class PageForm(WalkForm):
    """One page of the questionnaire, shown: blank, with answers, or with what was typed wrongly."""

    def __init__(
        self,
        page: Page,
        *,
        proxied: bool = False,
        answers: Mapping[str, Any] | None = None,
        typed: QueryDict | None = None,
        errors: Mapping[str, domain.InvalidAnswer] | None = None,
        problem: str = "",
    ) -> None:
        super().__init__(data=typed, initial=dict(answers or {}))
        self.single_question = len(page.questions) == 1
        for question in page.questions:
            asked = question.for_proxy() if proxied else question
            self.fields[question.id] = question_field(asked)
        # Bound without cleaning: the domain has judged already.
        self._errors = ErrorDict()
        self.cleaned_data = {}
        for name, error in (errors or {}).items():
            self.add_error(name, error.said(gettext))
        if problem:
            self.add_error(None, problem)


def question_field(question: Question) -> forms.Field:
    """The form field that shows a question."""
    choices = [(option.code, option.label) for option in question.options]
    common = {
        "label": question.text,
        "help_text": speak(question.help or ""),
        "required": question.required,
    }
    match question.type:
        case "single":
            field = forms.ChoiceField(choices=choices, widget=forms.RadioSelect, **common)
        case "multi":
            widget = forms.CheckboxSelectMultiple
            field = forms.MultipleChoiceField(choices=choices, widget=widget, **common)
        case "boolean":
            field = forms.BooleanField(**common)
        case "integer" | "decimal":
            mode = "numeric" if question.type == "integer" else "decimal"
            attrs = {"inputmode": mode, "autocomplete": "off"}
            field = forms.CharField(widget=forms.TextInput(attrs), **common)
        case _:
            area = forms.Textarea({"rows": 4, "autocomplete": "off"})
            field = forms.CharField(widget=area, **common)
    field.unit = question.unit if question.unit not in (None, "a", "d") else ""
    field.exclusive = set(question.exclusive)
    return field
