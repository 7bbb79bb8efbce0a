"""The forms of an editor: the head of a page, its sections, its sources."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from django import forms
from django.conf import settings
from django.core.validators import RegexValidator
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from education import content
from education.models import Condition
from education.shelves import TOPICS

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

TEXT_FIELDS: Final = ("title", "summary", "audience", "order", "topic", "written")
MAX_ROWS: Final = 30
"""How many sections and how many sources a page may have: Django limits the fields of a form."""
MAX_CHARACTERS: Final = 40_000
"""How many characters all sections together may have: the size of a posted form is limited."""
_LAST: Final = 10_000
_DAY = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
_NAME = r"[a-z0-9]+(-[a-z0-9]+)*"


class NameField(forms.RegexField):
    """A name to be used in an address or in a text: small letters, digits and hyphens."""

    def __init__(
        self, *, label: "StrOrPromise", help_text: "StrOrPromise", missing: "StrOrPromise"
    ) -> None:
        super().__init__(
            rf"^{_NAME}\Z",
            label=label,
            help_text=help_text,
            max_length=50,
            error_messages={
                "required": missing,
                "invalid": gettext_lazy("Use only small letters, digits and hyphens."),
            },
        )


class RelatedField(forms.CharField):
    """A box for names of pages, one name in each line. The value is a tuple of names."""

    widget = forms.Textarea({"rows": 3, "spellcheck": "false"})
    _line = RegexValidator(rf"^{_NAME}/{_NAME}\Z")

    def to_python(self, value: Any) -> Any:
        typed = super().to_python(value) or ""
        return tuple(line.strip() for line in typed.splitlines() if line.strip())

    def run_validators(self, value: Any) -> None:
        for line in value:
            try:
                self._line(line)
            except forms.ValidationError:
                message = _("“%(line)s” is not written like restless-legs/iron.")
                raise forms.ValidationError(message % {"line": line[:60]}) from None
            if len(line) > 101:
                raise forms.ValidationError(_("“%(line)s…” is too long.") % {"line": line[:60]})


class HeadForm(forms.Form):
    """The head of a page, such as title and summary. `read` is the hash of the opened text."""

    title = forms.CharField(
        label=gettext_lazy("Title"),
        max_length=120,
        error_messages={"required": gettext_lazy("Write a title.")},
    )
    summary = forms.CharField(
        label=gettext_lazy("Summary"),
        help_text=gettext_lazy("One or two sentences, up to 155 characters: lists show them."),
        max_length=300,
        widget=forms.Textarea({"rows": 2}),
        error_messages={"required": gettext_lazy("Write a summary of one or two sentences.")},
    )
    audience = forms.CharField(
        label=gettext_lazy("Who the page is for"),
        max_length=300,
        error_messages={"required": gettext_lazy("Say who the page is for.")},
    )
    order = forms.IntegerField(
        label=gettext_lazy("Place among the pages of its condition"),
        min_value=0,
        max_value=999,
        error_messages={"required": gettext_lazy("Give a number from 0 to 999.")},
    )
    topic = forms.ChoiceField(
        label=gettext_lazy("Topic"),
        choices=[("", gettext_lazy("None")), *TOPICS.items()],
        help_text=gettext_lazy(
            "Lists show the page below this heading at once, without a review of the text."
        ),
        required=False,
    )
    written = forms.DateField(
        label=gettext_lazy("Written"),
        help_text=gettext_lazy("Readers see this day. Change it when you rewrite the page."),
        widget=_DAY,
        error_messages={"required": gettext_lazy("Give the day on which the page was written.")},
    )
    related = RelatedField(
        label=gettext_lazy("Related pages"),
        help_text=gettext_lazy("One in each line, such as restless-legs/iron."),
        required=False,
        max_length=2000,
    )
    read = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)


class NewHeadForm(HeadForm):
    """The head of a new page, with the condition, the language, and the name for the address."""

    condition = forms.ModelChoiceField(
        label=gettext_lazy("Condition"),
        queryset=Condition.objects.all(),
        empty_label=gettext_lazy("Choose"),
        error_messages={
            "required": gettext_lazy("Choose the condition that the page belongs to."),
            "invalid_choice": gettext_lazy("Choose one of the conditions."),
        },
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=settings.LANGUAGES,
        help_text=gettext_lazy("A translation has the same name as its English page."),
        error_messages={"required": gettext_lazy("Choose the language.")},
    )
    slug = NameField(
        label=gettext_lazy("Name in the address"),
        help_text=gettext_lazy(
            "Small letters, digits and hyphens, such as iron. It cannot be changed later."
        ),
        missing=gettext_lazy("Give the name for the address."),
    )
    field_order = ["condition", "language", "slug"]


class SectionForm(forms.Form):
    """One section: a heading and its Markdown. An empty form is ignored."""

    place = forms.IntegerField(
        label=gettext_lazy("Place"), required=False, min_value=0, max_value=999
    )
    heading = forms.CharField(label=gettext_lazy("Heading"), required=False, max_length=120)
    body = forms.CharField(
        label=gettext_lazy("Text"),
        required=False,
        max_length=MAX_CHARACTERS,
        widget=forms.Textarea({"rows": 10}),
    )
    gone = forms.BooleanField(label=gettext_lazy("Remove this section"), required=False)

    def clean_body(self) -> str:
        return "\n".join(self.cleaned_data["body"].splitlines())

    @property
    def counts(self) -> bool:
        data = self.cleaned_data
        return bool(data.get("heading") or data.get("body")) and not data.get("gone")


class SourceForm(forms.Form):
    """A source of the page. An empty form is ignored."""

    place = forms.IntegerField(
        label=gettext_lazy("Number"), required=False, min_value=0, max_value=999
    )
    text = forms.CharField(label=gettext_lazy("Source"), required=False, max_length=500)
    url = forms.URLField(
        label=gettext_lazy("Address"),
        required=False,
        max_length=500,
        assume_scheme="https",
        widget=forms.TextInput({"inputmode": "url"}),
        validators=[RegexValidator(r"^https?://\S+\Z")],
        error_messages={
            "invalid": gettext_lazy("Give the whole address. It begins with https://.")
        },
    )
    gone = forms.BooleanField(label=gettext_lazy("Remove this source"), required=False)

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data.get("url") and not data.get("text") and "text" not in self.errors:
            self.add_error("text", _("Describe the source at this address."))
        return data

    @property
    def counts(self) -> bool:
        return bool(self.cleaned_data.get("text")) and not self.cleaned_data.get("gone")


Part = TypeVar("Part", SectionForm, SourceForm)
Sections = forms.formset_factory(SectionForm, extra=2, max_num=MAX_ROWS, absolute_max=MAX_ROWS + 2)
Sources = forms.formset_factory(SourceForm, extra=2, max_num=MAX_ROWS, absolute_max=MAX_ROWS + 2)


class PageForm:
    """The forms of a whole page: head, sections and sources.

    `text` is the stored text, None for a new page. `data` is the posted form: with it, the forms
    show what the editor typed, valid or not.
    """

    def __init__(self, text: content.Page | None = None, data: QueryDict | None = None) -> None:
        head: dict[str, Any] = {"written": timezone.localdate()}
        sections: list[dict[str, Any]] = []
        sources: list[dict[str, Any]] = []
        if text is not None:
            head = {name: getattr(text, name) for name in HeadForm.base_fields if name != "read"}
            head |= {"related": "\n".join(text.related), "read": text.content_hash}
            sections = [
                {"place": n, "heading": section.heading, "body": section.body}
                for n, section in enumerate(text.sections, 1)
            ]
            sources = [
                {"place": n, "text": source.text, "url": source.url}
                for n, source in enumerate(text.sources, 1)
            ]
        self.data = data
        self.head = (NewHeadForm if text is None else HeadForm)(data, initial=head)
        self.sections = Sections(data, initial=sections, prefix="section")
        self.sources = Sources(data, initial=sources, prefix="source")
        self.refused = ""

    def is_valid(self) -> bool:
        parts = [self.head.is_valid(), self.sections.is_valid(), self.sources.is_valid()]
        if not all(parts):
            return False
        kept = _in_order(self.sections.forms)
        for form in kept[1:]:
            if not form.cleaned_data["heading"]:
                form.add_error("heading", _("Write a heading: only the first section has none."))
        if not kept:
            self.refused = _("Write at least one section.")
        elif sum(len(form.cleaned_data["body"]) for form in kept) > MAX_CHARACTERS:
            self.refused = _("The text is too long for one page: up to %(n)s characters.") % {
                "n": MAX_CHARACTERS
            }
        return not self.refused and not any(form.errors for form in kept)

    @property
    def read(self) -> str:
        return str(self.head.cleaned_data["read"])

    def as_text(self, *, condition: str, slug: str, language: str) -> content.Page:
        """Return the typed page. Call this only after `is_valid` has returned True."""
        head = self.head.cleaned_data
        return content.Page(
            condition=condition,
            slug=slug,
            language=language,
            **{name: head[name] for name in TEXT_FIELDS},
            related=head["related"],
            sources=tuple(
                content.Source(form.cleaned_data["text"], form.cleaned_data["url"])
                for form in _in_order(self.sources.forms)
            ),
            sections=tuple(
                content.Section(form.cleaned_data["heading"], form.cleaned_data["body"])
                for form in _in_order(self.sections.forms)
            ),
        )

    def rebased(self, text: content.Page) -> "PageForm":
        """Return a form with the same typed text, to be saved over `text`.

        After a conflict, `text` is the text that another person has stored meanwhile.
        """
        assert self.data is not None
        data = self.data.copy()
        data["read"] = text.content_hash
        again = PageForm(text, data)
        again.is_valid()
        return again

    @property
    def faults(self) -> Iterator[tuple[str, str]]:
        """The id of each wrong field with its error message, for the error summary."""
        if self.data is None:
            return
        if self.refused:
            yield "section-0", self.refused
        yield from _faults(self.head, "")
        groups = ((self.sections, _("Section %(n)s: ")), (self.sources, _("Source %(n)s: ")))
        for rows, name in groups:
            for message in rows.non_form_errors():
                yield f"{rows.prefix}-0", str(message)
            for number, form in enumerate(rows.forms, 1):
                yield from _faults(form, name % {"n": number})


def _faults(form: forms.Form, before: str) -> Iterator[tuple[str, str]]:
    for field in form:
        for message in field.errors:
            yield field.id_for_label, f"{before}{message}"


def _in_order(rows: Sequence[Part]) -> list[Part]:
    """Return the rows that count, sorted by the place that the editor typed.

    A row that was moved to the place of another row gets this place. The other row moves one place
    up if the moved row came from above, else one place down.
    """

    def key(numbered: tuple[int, Part]) -> tuple[int, int, int]:
        number, row = numbered
        place, was = row.cleaned_data.get("place"), row.initial.get("place")
        if place is None:
            return _LAST, 0, number
        moved_down = was is not None and place > was
        return place, 0 if place == was else 1 if moved_down else -1, number

    return [row for _number, row in sorted(enumerate(rows), key=key) if row.counts]


class ReviewForm(forms.Form):
    """The form with which a clinician confirms a text and sets the day of the next review."""

    next_on = forms.DateField(
        label=gettext_lazy("Next review"),
        widget=_DAY,
        error_messages={
            "required": gettext_lazy("Give the day of the next review."),
            "invalid": gettext_lazy("Give the day as 2027-11-26."),
        },
    )

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data, initial={"next_on": timezone.localdate() + timedelta(days=365)})

    def clean_next_on(self) -> date:
        day: date = self.cleaned_data["next_on"]
        if day <= timezone.localdate():
            raise forms.ValidationError(_("The next review must be in the future."))
        return day
