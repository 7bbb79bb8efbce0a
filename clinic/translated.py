"""Short texts of staff in several languages: a model field, and a form field with a box for each.

A text is stored as a JSON object, language code → text. Readers see the text of their language. If
that is missing, they see the English text, which is marked as English.
"""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext as _

MOST = 2000  # letters of one text


class Translated(dict[str, str]):
    """A text in several languages. It is false if it is empty in every language."""

    @property
    def language(self) -> str:
        """The language in which the current reader sees the text."""
        current = get_language() or settings.LANGUAGE_CODE
        return current if current in self else settings.LANGUAGE_CODE

    @property
    def foreign(self) -> str:
        """The language of the shown text if that is not the current language, else ''."""
        return "" if self.language == get_language() else self.language

    @property
    def lines(self) -> list[str]:
        """The lines of the shown text, without empty lines."""
        return [line.strip() for line in str(self).splitlines() if line.strip()]

    def __str__(self) -> str:
        return self.get(self.language, "")


class TranslatedInput(forms.MultiWidget):
    """A box for each language of the site."""

    template_name = "widgets/translated.html"

    def __init__(self, *, rows: int) -> None:
        box = forms.Textarea({"rows": rows}) if rows > 1 else forms.TextInput()
        super().__init__({code: box for code, _name in settings.LANGUAGES})

    def decompress(self, value: Any) -> list[str]:
        return [(value or {}).get(code, "") for code, _name in settings.LANGUAGES]

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        boxes = context["widget"]["subwidgets"]
        for box, (code, language) in zip(boxes, settings.LANGUAGES, strict=True):
            box["attrs"] |= {"lang": code}
            box["language"] = language
        return context


class TranslatedFormField(forms.MultiValueField):
    """A text in each language of the site. A text in another language needs the English one."""

    def __init__(self, *, rows: int, most: int = MOST, **kwargs: Any) -> None:
        boxes = [
            forms.CharField(max_length=most, required=False) for _language in settings.LANGUAGES
        ]
        given: dict[str, Any] = {"widget": TranslatedInput(rows=rows)} | kwargs
        given["require_all_fields"] = False
        super().__init__(boxes, **given)

    def compress(self, data_list: list[str]) -> Translated:
        codes = [code for code, _name in settings.LANGUAGES]
        texts = {code: text for code, text in zip(codes, data_list, strict=False) if text}
        if texts and settings.LANGUAGE_CODE not in texts:
            raise ValidationError(_("Write the English text, too: other readers see that one."))
        return Translated(texts)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.widget.decompress(initial), data)


class TranslatedField(models.JSONField):
    """A column with a text in several languages. `rows` is the height of its boxes in forms."""

    def __init__(self, *args: Any, rows: int = 3, most: int = MOST, **kwargs: Any) -> None:
        self.rows, self.most = rows, most
        given: dict[str, Any] = {"default": Translated, "blank": True} | kwargs
        super().__init__(*args, **given)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        read = super().from_db_value(value, expression, connection)
        return Translated(read) if isinstance(read, dict) else read

    def formfield(self, **kwargs: Any) -> Any:
        given: dict[str, Any] = {"form_class": TranslatedFormField, "rows": self.rows}
        # JSONField's own formfield makes a box for JSON
        return models.Field.formfield(self, **(given | {"most": self.most} | kwargs))
