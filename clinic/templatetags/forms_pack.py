"""Filters with which the templates in `templates/forms/` ask about a bound field.

Every template can use them without `{% load %}`, because the settings list them as builtins. A
field may have these optional attributes: `unit` (shown beside the box), `exclusive` (values of
options that exclude all others), `drawings` (names of pictures by option), `language` (of a
question without a translation), `kept` (the question has an answer, which an empty box keeps),
`scale` (the options are numbers, in rows) and, for a single check box, `legend`. A form may have
`single_question`.
"""

from typing import Any

from django import template
from django.forms import BoundField, DecimalField, FloatField, widgets
from django.forms.utils import flatatt
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

register = template.Library()

_KINDS = (
    (widgets.CheckboxSelectMultiple, "checkboxes"),
    (widgets.RadioSelect, "radios"),
    (widgets.CheckboxInput, "checkbox"),
    (widgets.MultiWidget, "group"),
    (widgets.SelectDateWidget, "group"),
    (widgets.FileInput, "file"),
    (widgets.Textarea, "textarea"),
    (widgets.Select, "select"),
    (widgets.NumberInput, "number"),
)
_NUMBERED = ("radios", "checkboxes", "group")  # kinds whose controls have ids that end in _0, _1, …


@register.filter
def kind(field: BoundField) -> str:
    """Return the name of the kind of control, by which field.html decides how to render a field."""
    widget = field.field.widget
    return next((name for cls, name in _KINDS if isinstance(widget, cls)), "input")


@register.filter
def first_id(field: BoundField) -> str:
    """Return the id of the field's first control, to which the error summary links."""
    if isinstance(field.field.widget, widgets.SelectDateWidget):
        return field.id_for_label or ""
    if kind(field) in _NUMBERED:
        return f"{field.auto_id}_0"
    return field.id_for_label or ""


@register.filter
def unit(field: BoundField) -> str:
    """Return the unit beside the number, or ''."""
    return str(getattr(field.field, "unit", ""))


@register.filter
def language(field: BoundField) -> str:
    """Return the language of a question that is not in the language of the page, else ''."""
    return str(getattr(field.field, "language", ""))


@register.filter
def is_kept(field: BoundField) -> bool:
    """Return whether the field is shown as answered although its box is empty."""
    return getattr(field.field, "kept", False)


@register.filter
def describedby(field: BoundField) -> str:
    """Return the ids of the texts that describe the field, in the order in which they are read out.

    They are the hint, the mark "answered", the error and the unit.
    """
    ids = [f"{field.auto_id}_helptext"] if field.help_text else []
    if is_kept(field):
        ids.append(f"{field.auto_id}_kept")
    if field.errors:
        ids.append(f"{field.auto_id}_error")
    if unit(field):
        ids.append(f"{field.auto_id}_unit")
    return " ".join(ids)


@register.filter
def marked_optional(field: BoundField) -> bool:
    """Return whether to add '(optional)' to the label of an optional field.

    False if the label already says "(optional)", or if the field is `unmarked`.
    """
    mark = gettext("(optional)").casefold()
    left_out = field.field.required or getattr(field.field, "unmarked", False)
    return not left_out and mark not in str(field.label).casefold()


@register.filter
def choices(field: BoundField) -> list[dict[str, Any]]:
    """Return the options as dicts.

    `apart` marks the first option that excludes all others. `drawing` is the address of a picture
    of what the label says, or ''.
    """
    drawings = getattr(field.field, "drawings", {})
    exclusive = {str(value) for value in getattr(field.field, "exclusive", None) or ()}
    found: list[dict[str, Any]] = []
    for option in (part.data for part in field.subwidgets):
        alone = str(option["value"]) in exclusive
        name = drawings.get(option["value"])
        found.append(
            {
                "id": option["attrs"].get("id", ""),
                "value": option["value"],
                "label": option["label"],
                "drawing": drawing_url(name) if name else "",
                "selected": option["selected"],
                "disabled": option["attrs"].get("disabled", False),
                "apart": alone and bool(found) and not found[-1]["alone"],
                "alone": alone,
            }
        )
    return found


def drawing_url(name: str) -> str:
    """Return the address of a picture of an option, or '' if this release has no such picture.

    A draft may be of an older protocol, whose pictures are gone. The label of an option says in
    words what its picture shows.
    """
    try:
        return static(f"img/options/{name}.svg")
    except ValueError:  # the list of collected files does not have it
        return ""


@register.filter
def control(field: BoundField) -> SafeString:
    """Render the control, connected to its hint, error and unit.

    The control never has `required`, because the server explains a missing answer in its own words,
    and never `maxlength`, because the browser would cut a long text and say nothing.
    A number is typed into a text box with a number pad, because a turn of the mouse wheel or an
    arrow key can change a number box unnoticed.
    """
    widget, which = field.field.widget, kind(field)
    attrs: dict[str, Any] = {"id": field.auto_id} if field.auto_id else {}
    if field.field.disabled:
        attrs["disabled"] = True
    if field.errors:
        attrs["aria-invalid"] = "true"
    if which != "group" and (ids := describedby(field)):
        attrs["aria-describedby"] = ids
    if which not in ("input", "number"):
        rendered: SafeString = widget.render(
            field.html_name, field.value(), attrs, field.form.renderer
        )
        return rendered
    parts = widget.get_context(field.html_name, field.value(), attrs)["widget"]
    attrs = {"type": parts["type"], "name": parts["name"], **parts["attrs"]}
    for name in ("required", "maxlength"):
        attrs.pop(name, None)
    if which == "number":
        for name in ("min", "max", "step"):
            attrs.pop(name, None)
        decimal = isinstance(field.field, (DecimalField, FloatField))
        attrs["type"] = "text"
        attrs.setdefault("inputmode", "decimal" if decimal else "numeric")
        attrs.setdefault("autocomplete", "off")
    short = attrs.get("inputmode") in ("numeric", "decimal")
    attrs.setdefault("size", 6 if short else 20 if attrs["type"] == "tel" else 30)
    if parts["value"] is not None:
        attrs["value"] = parts["value"]
    return format_html("<input{}>", flatatt(attrs))
