"""Render form controls without `maxlength`: the form says what is too long, and keeps the text.

A browser cuts a pasted text at `maxlength` and says nothing.
"""

from collections.abc import Mapping
from typing import Any

from django.forms.renderers import TemplatesSetting
from django.http import HttpRequest


class FormRenderer(TemplatesSetting):
    """Django's renderer for our templates, which leaves `maxlength` out of every control."""

    def render(
        self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None
    ) -> str:
        if "widget" in context:
            _without_maxlength(context["widget"])
        return super().render(template_name, context, request)


def _without_maxlength(widget: Mapping[str, Any]) -> None:
    widget.get("attrs", {}).pop("maxlength", None)
    for part in widget.get("subwidgets", ()):
        _without_maxlength(part)
