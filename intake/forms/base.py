"""The base class of the questionnaire's forms, and the form of a page of questions.

The domain (intake.domain.answers) checks the answers of a page; PageForm only shows them.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django import forms
from django.forms.utils import ErrorDict
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from intake import mail_address
from intake.domain.definition import Question, QuestionPage
from intake.domain.typed_text import is_blank
from intake.domain.wording import Wording
from intake.domain.wrong_answers import InvalidAnswer
from intake.wording.advice import with_local_numbers
from intake.wording.languages import if_foreign

LONGEST_SCALE = 10  # 0 to 10: more buttons do not fit on a phone in two rows
Controls = Mapping[str, str]  # name of an HTML control → its value


class WalkForm(forms.Form):
    """The base class of all forms of the questionnaire.

    A form can keep an earlier value without showing it (`keep`). Then the field is shown blank and
    marked as answered. If the patient leaves it blank, the earlier value is used.
    """

    data: QueryDict
    single_question = False
    _posted: QueryDict | None = None  # what was posted, while `data` also has the kept values

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.kept: dict[str, Controls] = {}
        self.asked: list[str] = []

    def mark_languages(self, words: Wording) -> None:
        """Mark the protocol's own questions that are not in the language of the page."""
        for name in self.fields.keys() & {question.id for question in words.protocol.questions}:
            # Our templates read `language`, which Django's fields do not have.
            field: Any = self.fields[name]
            field.language = if_foreign(words.language_of_question(name))

    def without_autofill(self) -> None:
        """Offer nothing that the browser knows: staff type what a caller says."""
        for field in self.fields.values():
            for widget in getattr(field.widget, "widgets", [field.widget]):
                if "autocomplete" in widget.attrs:
                    widget.attrs["autocomplete"] = "off"

    def keep(self, earlier: Mapping[str, Controls]) -> None:
        """Keep the earlier values of fields. Names that are not fields of this form are ignored."""
        self.kept = {name: controls for name, controls in earlier.items() if name in self.fields}
        for name in self.kept:
            # Any, because only our templates know the attribute `kept`
            field: Any = self.fields[name]
            field.kept = True

    @property
    def left_blank(self) -> list[str]:
        """The names of the kept fields that were posted blank. Their earlier values stay."""
        posted = self.data if self._posted is None else self._posted
        return [
            name
            for name, controls in self.kept.items()
            if all(is_blank(text) for control in controls for text in posted.getlist(control))
        ]

    def completed_data(self) -> QueryDict:
        """Return the posted data, with the earlier values of kept fields that were left blank."""
        data = self.data.copy()
        for name in self.left_blank:
            for control, text in self.kept[name].items():
                data[control] = text
        return data

    def ask_once(self, name: str, question: str) -> None:
        """Ask once whether a value that looks like a slip is correct.

        Hidden controls of the page say what the page asked. If the patient presses the button again
        without a change, the question is not asked again, so the value is accepted.
        """
        token = f"{name} {question}"
        if token not in self.data.getlist("asked"):
            self.add_error(name, question)
        self.asked.append(token)

    def full_clean(self) -> None:
        self.asked = []
        posted, self.data = self.data, self.completed_data()
        self._posted = posted
        super().full_clean()
        self._posted = None
        self.data = posted  # so that the page shows the posted values, never the kept values

    @property
    def shown(self) -> str:
        """The names of the fields whose earlier value the page showed.

        The page posts these names back. If one of these fields is blank, the patient has cleared
        its value, even if the page was open for so long that the veil now hides the value.
        """
        names = [name for name, value in self.initial.items() if value not in (None, "")]
        if self.is_bound:
            typed = [name for name in self.fields if self._is_typed(name)]
            names = list(dict.fromkeys([*self.data.get("shown", "").split(), *typed]))
        return " ".join(name for name in names if name in self.fields)

    def _is_typed(self, name: str) -> bool:
        controls = self.controls_of_field(name)
        return any(text for control in controls for text in self.data.getlist(control))

    def control_names(self) -> set[str]:
        """Return the names of all controls of the form."""
        return {control for name in self.fields for control in self.controls_of_field(name)}

    def controls_of_field(self, name: str) -> list[str]:
        """Return the names of the controls of one field: three for a date."""
        parts = getattr(self.fields[name].widget, "widgets_names", [""])
        return [f"{name}{part}" for part in parts]

    def show_unjudged(self) -> None:
        """Show what was posted without errors, because the patient has not pressed Continue."""
        self._errors = ErrorDict()
        self.cleaned_data = {}


class SingleValueForm(WalkForm):
    """A form that refuses several values for one control."""

    def clean(self) -> dict[str, Any]:
        refuse_repeated_controls(self)
        return self.cleaned_data


def ask_about_slip(form: WalkForm, name: str) -> None:
    """Ask once whether an e-mail address is correct, if its domain looks like a slip."""
    typed = form.cleaned_data.get(name, "")
    if meant := mail_address.likely_meant(typed):
        question = _("Did you mean %(meant)s? If %(typed)s is right, press the button again.")
        form.ask_once(name, question % {"meant": meant, "typed": typed})


def refuse_repeated_controls(form: WalkForm) -> None:
    """Add an error to each single-value field that was posted with several values.

    Our own pages never post this.
    """
    for name, field in form.fields.items():
        single = not isinstance(field, forms.MultipleChoiceField)
        parts = getattr(field.widget, "widgets_names", [""])
        if single and any(len(form.data.getlist(f"{name}{part}")) > 1 for part in parts):
            form.add_error(name, _("This was sent twice. Give one answer."))


class PageForm(WalkForm):
    """One page of the questionnaire: blank, with answers, or with invalid values and errors.

    `words` is the wording to which `page` belongs.
    """

    def __init__(
        self,
        page: QuestionPage,
        words: Wording,
        *,
        proxied: bool = False,
        answers: Mapping[str, Any] | None = None,
        kept: Collection[str] = (),
        typed: QueryDict | None = None,
        errors: Mapping[str, InvalidAnswer] | None = None,
        questions_back: Iterable[tuple[str, str]] = (),
        problem: str = "",
    ) -> None:
        super().__init__(data=typed, initial=dict(answers or {}))
        self.single_question = len(page.questions) == 1
        for question in page.questions:
            asked = question.for_proxy() if proxied else question
            self.fields[question.id] = question_field(asked)
        self.mark_languages(words)
        self.keep({question_id: {} for question_id in kept})
        # The form is bound but is not cleaned by Django, because the domain has checked the values.
        self.show_unjudged()
        for name, error in (errors or {}).items():
            self.add_error(name, error.message_in(gettext))
        for name, doubt in questions_back:
            self.ask_once(name, doubt)
        if problem:
            self.add_error(None, problem)


def question_field(question: Question) -> forms.Field:
    """Make the form field that shows a question."""
    # Any, because only our templates know the attributes `unit`, `exclusive` and so on
    field: Any = _plain_field(question)
    field.scale = is_scale(question)
    field.unit = "" if field.scale else question.shown_unit
    field.unmarked = question.about is not None  # silence counts as yes, so it is not "optional"
    field.exclusive = set(question.exclusive)
    field.drawings = {option.code: option.drawing for option in question.options}
    made: forms.Field = field
    return made


def is_scale(question: Question) -> bool:
    """Whether the question asks for one of a few whole numbers, which are shown as buttons."""
    first, last = question.min, question.max
    return (
        question.type == "integer"
        and first is not None
        and last is not None
        and last - first <= LONGEST_SCALE
    )


def _plain_field(question: Question) -> forms.Field:
    choices = [(option.code, option.label) for option in question.options]
    common: dict[str, Any] = {
        "label": question.text,
        "help_text": with_local_numbers(question.help or ""),
        "required": question.required,
    }
    match question.type:
        case "single":
            return forms.ChoiceField(choices=choices, widget=forms.RadioSelect, **common)
        case "multi":
            widget = forms.CheckboxSelectMultiple
            return forms.MultipleChoiceField(choices=choices, widget=widget, **common)
        case "boolean":
            return forms.BooleanField(**common)
        case "integer" if is_scale(question):
            numbers = [str(n) for n in range(int(question.min or 0), int(question.max or 0) + 1)]
            return forms.ChoiceField(
                choices=list(zip(numbers, numbers, strict=True)),
                widget=forms.RadioSelect,
                **common,
            )
        case "integer":
            attrs = {"inputmode": "numeric", "autocomplete": "off"}
            return forms.CharField(widget=forms.TextInput(attrs), **common)
        case "decimal":
            # a report may say "<15", and the number pad of a phone has no "<"
            attrs = {"inputmode": "text", "size": "8", "autocomplete": "off"}
            return forms.CharField(widget=forms.TextInput(attrs), **common)
        case "text" if question.one_line:
            attrs = {"autocomplete": "off", "autocapitalize": "words", "dir": "auto"}
            return forms.CharField(widget=forms.TextInput(attrs), **common)
        case _:
            area = forms.Textarea({"rows": 4, "autocomplete": "off", "dir": "auto"})
            return forms.CharField(widget=area, **common)
