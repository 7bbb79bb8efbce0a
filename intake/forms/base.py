"""What all forms of the walk share, and the pages of the questionnaire.

A page is cleaned by the domain (intake.domain.answers); PageForm only shows it.
"""

from collections.abc import Collection, Mapping
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.forms.utils import ErrorDict
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from intake.domain import answers as domain
from intake.domain.definition import Page, Question
from intake.wording.advice import with_local_numbers

Controls = Mapping[str, str]  # the name of a control → what it holds


class WalkForm(forms.Form):
    """What all forms of the walk share: our template pack inside our own <form> element.

    A form may know what was said before without showing it (`keep`). It shows such a field blank
    and marked as answered; left blank, the field is judged as if it held what was said.
    """

    single_question = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.kept: dict[str, Controls] = {}

    def keep(self, said: Mapping[str, Controls]) -> None:
        """Know what was said before, by field; a field that this form does not have is left out."""
        self.kept = {name: controls for name, controls in said.items() if name in self.fields}
        for name in self.kept:
            self.fields[name].kept = True

    @property
    def left_blank(self) -> list[str]:
        """The kept fields that were sent blank: they stay as they are."""
        return [
            name
            for name, controls in self.kept.items()
            if not any(text.strip() for control in controls for text in self.data.getlist(control))
        ]

    def whole(self) -> Any:
        """What was sent, with what is kept in the place of its blanks."""
        data = self.data.copy()
        for name in self.left_blank:
            for control, text in self.kept[name].items():
                data[control] = text
        return data

    def full_clean(self) -> None:
        sent, self.data = self.data, self.whole()
        super().full_clean()
        self.data = sent  # the page shows what was typed, never what is kept

    @property
    def shown(self) -> str:
        """The names of the fields that came with what was said before. The page sends them back:
        of these a blank is a blank, however long the page lay open."""
        names = [name for name, said in self.initial.items() if said not in (None, "")]
        if self.is_bound:
            names = self.data.get("shown", "").split()
        return " ".join(name for name in names if name in self.fields)

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


class SingleValueForm(WalkForm):
    """A form whose every control takes one value."""

    def clean(self) -> dict[str, Any]:
        refuse_repeated_controls(self)
        return self.cleaned_data


def refuse_repeated_controls(form: forms.Form) -> None:
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
        kept: Collection[str] = (),
        typed: QueryDict | None = None,
        errors: Mapping[str, domain.InvalidAnswer] | None = None,
        problem: str = "",
    ) -> None:
        super().__init__(data=typed, initial=dict(answers or {}))
        self.single_question = len(page.questions) == 1
        for question in page.questions:
            asked = question.for_proxy() if proxied else question
            self.fields[question.id] = question_field(asked)
        self.keep({question_id: {} for question_id in kept})
        # Bound without cleaning: the domain has judged already.
        self._errors = ErrorDict()
        self.cleaned_data = {}
        for name, error in (errors or {}).items():
            self.add_error(name, error.message_in(gettext))
        if problem:
            self.add_error(None, problem)


def question_field(question: Question) -> forms.Field:
    """The form field that shows a question."""
    choices = [(option.code, option.label) for option in question.options]
    common = {
        "label": question.text,
        "help_text": with_local_numbers(question.help or ""),
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
