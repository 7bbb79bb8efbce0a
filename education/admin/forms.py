"""What an editor types: the head of a page, its sections, its sources."""

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

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MOST: Final = 30
"""Sections, and sources, of a page: with more the form would have too many fields to be sent."""
LONGEST: Final = 40_000
"""Characters of all sections together: with more the form would be too large to be sent."""
_LAST: Final = 10_000
_DAY = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
_NAME = r"[a-z0-9]+(-[a-z0-9]+)*"


class NameField(forms.RegexField):
    """A name that stands in an address or a text: small letters, digits and hyphens."""

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
                "invalid": gettext_lazy("Use small letters, digits and hyphens alone."),
            },
        )


class RelatedField(forms.CharField):
    """Names of pages, one in each line, as a tuple."""

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
                said = _("“%(line)s” is not written like restless-legs/iron.")
                raise forms.ValidationError(said % {"line": line[:60]}) from None
            if len(line) > 101:
                raise forms.ValidationError(_("“%(line)s…” is too long.") % {"line": line[:60]})


class HeadForm(forms.Form):
    """What stands above the text. `read` is the hash of the text that was opened."""

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
        label=gettext_lazy("Who it is for"),
        max_length=300,
        error_messages={"required": gettext_lazy("Say who the page is for.")},
    )
    order = forms.IntegerField(
        label=gettext_lazy("Place among the pages of its condition"),
        min_value=0,
        max_value=999,
        error_messages={"required": gettext_lazy("Give a number from 0 to 999.")},
    )
    written = forms.DateField(
        label=gettext_lazy("Written"),
        help_text=gettext_lazy("The day that readers see. Set it when you write the page anew."),
        widget=_DAY,
        error_messages={"required": gettext_lazy("Give the day on which it was written.")},
    )
    related = RelatedField(
        label=gettext_lazy("Pages to read on"),
        help_text=gettext_lazy("One in each line, such as restless-legs/iron."),
        required=False,
        max_length=2000,
    )
    read = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)


class NewHeadForm(HeadForm):
    """The same for a page that is not there yet: where it will stand, too."""

    condition = forms.ModelChoiceField(
        label=gettext_lazy("Condition"),
        queryset=Condition.objects.all(),
        empty_label=gettext_lazy("Choose"),
        error_messages={
            "required": gettext_lazy("Choose the condition it belongs to."),
            "invalid_choice": gettext_lazy("Choose one of the conditions."),
        },
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=settings.LANGUAGES,
        help_text=gettext_lazy("A translation stands under the same name as its English page."),
        error_messages={"required": gettext_lazy("Choose the language.")},
    )
    slug = NameField(
        label=gettext_lazy("Its name in the address"),
        help_text=gettext_lazy("Small letters, digits and hyphens, such as iron. It stays."),
        missing=gettext_lazy("Give the name that stands in the address."),
    )
    field_order = ["condition", "language", "slug"]


class SectionForm(forms.Form):
    """A heading and its Markdown. What is left empty is no section."""

    place = forms.IntegerField(
        label=gettext_lazy("Place"), required=False, min_value=0, max_value=999
    )
    heading = forms.CharField(label=gettext_lazy("Heading"), required=False, max_length=120)
    body = forms.CharField(
        label=gettext_lazy("Text"),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea({"rows": 10}),
    )
    gone = forms.BooleanField(label=gettext_lazy("Take this section out"), required=False)

    def clean_body(self) -> str:
        return "\n".join(self.cleaned_data["body"].splitlines())

    @property
    def counts(self) -> bool:
        data = self.cleaned_data
        return bool(data.get("heading") or data.get("body")) and not data.get("gone")


class SourceForm(forms.Form):
    """What statements rest on. What is left empty is no source."""

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
            "invalid": gettext_lazy("Give the whole address, which begins with https://.")
        },
    )
    gone = forms.BooleanField(label=gettext_lazy("Take this source out"), required=False)

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data.get("url") and not data.get("text") and "text" not in self.errors:
            self.add_error("text", _("Say what stands at this address."))
        return data

    @property
    def counts(self) -> bool:
        return bool(self.cleaned_data.get("text")) and not self.cleaned_data.get("gone")


Part = TypeVar("Part", SectionForm, SourceForm)
Sections = forms.formset_factory(SectionForm, extra=2, max_num=MOST, absolute_max=MOST + 2)
Sources = forms.formset_factory(SourceForm, extra=2, max_num=MOST, absolute_max=MOST + 2)


class Typed:
    """A whole text as it stands in the browser.

    `text` is what was there before, None for a new page. Bound to `data`, it keeps what was typed
    whatever is wrong with it.
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
                form.add_error("heading", _("Only the first section has no heading."))
        if not kept:
            self.refused = _("Write at least one section.")
        elif sum(len(form.cleaned_data["body"]) for form in kept) > LONGEST:
            self.refused = _("The text is too long for one page: up to %(n)s characters.") % {
                "n": LONGEST
            }
        return not self.refused and not any(form.errors for form in kept)

    @property
    def read(self) -> str:
        return str(self.head.cleaned_data["read"])

    def as_text(self, *, condition: str, slug: str, language: str) -> content.Page:
        """The text that was typed, once it is valid."""
        head = self.head.cleaned_data
        return content.Page(
            condition=condition,
            slug=slug,
            language=language,
            **{name: head[name] for name in ("title", "summary", "audience", "order", "written")},
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

    def renewed(self, text: content.Page) -> "Typed":
        """After a conflict: what was typed stays, the text it is held against is `text`."""
        assert self.data is not None
        data = self.data.copy()
        data["read"] = text.content_hash
        again = Typed(text, data)
        again.is_valid()
        return again

    @property
    def faults(self) -> Iterator[tuple[str, str]]:
        """The id of each control that is wrong, and the sentence: for the summary."""
        if self.data is None:
            return
        if self.refused:
            yield "section-0", self.refused
        yield from _faults(self.head, "")
        groups = ((self.sections, _("Section %(n)s: ")), (self.sources, _("Source %(n)s: ")))
        for rows, name in groups:
            for sentence in rows.non_form_errors():
                yield f"{rows.prefix}-0", str(sentence)
            for number, form in enumerate(rows.forms, 1):
                yield from _faults(form, name % {"n": number})


def _faults(form: forms.Form, before: str) -> Iterator[tuple[str, str]]:
    for field in form:
        for sentence in field.errors:
            yield field.id_for_label, f"{before}{sentence}"


def _in_order(rows: Sequence[Part]) -> list[Part]:
    """The rows that count, by their numbers. One that was moved wins over the one it met there."""

    def key(numbered: tuple[int, Part]) -> tuple[int, int, int]:
        number, row = numbered
        place, was = row.cleaned_data.get("place"), row.initial.get("place")
        if place is None:
            return _LAST, 0, number
        moved_down = was is not None and place > was
        return place, 0 if place == was else 1 if moved_down else -1, number

    return [row for _number, row in sorted(enumerate(rows), key=key) if row.counts]


class ReviewForm(forms.Form):
    """A clinician's word that a text is right, and when to look again."""

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
            raise forms.ValidationError(_("The next review lies in the future."))
        return day
