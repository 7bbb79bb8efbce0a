"""Write what is known of a patient as lines of plain text, which staff copy into the chart."""

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext_lazy

from intake.chart.details import NAMES
from intake.domain.stored import CHART_NUMBER, DOCTOR, MEMBER, PAYER, PHARMACY, PHONE
from intake.models.submissions import Submission
from intake.wording.reading import date_words, phone_words

LABELS = {
    PAYER: gettext_lazy("Insurance"),
    MEMBER: gettext_lazy("Member number"),
    DOCTOR: gettext_lazy("Referring doctor"),
    PHARMACY: gettext_lazy("Pharmacy"),
    CHART_NUMBER: gettext_lazy("Chart number"),
}
"""Each detail for the chart in the words of staff."""


def block(submission: Submission, details: Mapping[str, str]) -> str:
    """Return one line for each thing that is known: `Member number: ECX 100 200`.

    `details` are those of the newest row for the chart (`intake.chart.details`).
    """
    return "\n".join(f"{label}: {text}" for label, text in _lines(submission, details) if text)


def _lines(submission: Submission, details: Mapping[str, str]) -> Iterator[tuple[object, str]]:
    person = submission.person
    yield gettext_lazy("Name"), person.get("name", "")
    yield gettext_lazy("Date of birth"), date_words(person.get("birth_date", ""))
    yield gettext_lazy("Phone"), phone_words(person.get(PHONE, ""))
    yield gettext_lazy("E-mail"), person.get("email", "")
    yield from ((LABELS[name], details.get(name, "")) for name in NAMES)
    yield gettext_lazy("Reference"), submission.reference
