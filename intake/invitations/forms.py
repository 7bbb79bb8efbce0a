"""The form in which a patient opens an invitation."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from intake.access.forms import CodeForm
from intake.forms.fields import Date3Field


class OpenForm(CodeForm):
    """Ask for the code of the letter, and for the patient's date of birth."""

    birth_date = Date3Field(label=_("Patient’s date of birth"))

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.fields["code"].label = _("The code in our message")
        self.fields["code"].widget.attrs["autocomplete"] = "off"

    @property
    def controls(self) -> list[tuple[str, str]]:
        """What was posted, as pairs of control and value, so that a page can post it again."""
        names = [name for field in self.fields for name in self.controls_of_field(field)]
        return [(name, self.data.get(name, "")) for name in names]
