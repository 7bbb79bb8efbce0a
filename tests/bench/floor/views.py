from django import forms
from django.db import IntegrityError, models
from django.http import HttpResponse
from django.shortcuts import redirect, render

from tests.bench.floor.models import OPTIONS, Form, Slot


def _form(options: int) -> type[forms.ModelForm]:
    """Make a form of forty fields. Each of its 16 choice fields has this many options."""
    offered = OPTIONS[:options]

    def field(column: models.Field, **others) -> forms.Field:
        label = column.verbose_name
        if column.choices:
            return forms.ChoiceField(label=label, choices=offered, widget=forms.RadioSelect)
        if isinstance(column, models.JSONField):
            widget = forms.CheckboxSelectMultiple
            return forms.MultipleChoiceField(label=label, choices=offered, widget=widget)
        return column.formfield(**others)

    return forms.modelform_factory(Form, fields="__all__", formfield_callback=field)


PlainForm = _form(4)  # 88 controls
WideForm = _form(11)  # 200 controls, as many as a patient sees on the whole intake


def page(request, form_class=PlainForm):
    form = form_class(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        form.save()
        return redirect("/thanks/")
    return render(request, "floor.html", {"form": form})


def thanks(request):
    return HttpResponse("<!doctype html><title>Thank you</title><p>Thank you.</p>")


def slot(request):
    """Book a slot with the least work: one INSERT, which the unique column accepts or refuses."""
    try:
        Slot.objects.create(key=request.POST["slot"])
    except IntegrityError:
        return HttpResponse("<!doctype html><title>Gone</title><p>Gone.</p>", status=409)
    return redirect("/thanks/")
