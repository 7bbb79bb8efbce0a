"""The staff pages on which a clinician writes, signs and prints a letter about a submission."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import audit
from clinic.requests import StaffRequest
from intake.desk import clinical_letters, findings, pdf
from intake.desk.access_report import as_id
from intake.desk.clinical_letters import LONGEST
from intake.desk.submission_page import SubmissionPage
from intake.desk.submission_view import visits_of
from intake.errors import Conflict
from intake.models.clinical_letters import ClinicalLetter
from intake.models.submissions import Submission
from intake.staff import reads
from intake.staff.lists import PatientAdmin, record_view
from intake.wording.people import person_words

Kind = ClinicalLetter.Kind


class LetterForm(forms.Form):
    """The addressee and the text of a letter."""

    to = forms.CharField(
        label=gettext_lazy("To"),
        help_text=gettext_lazy("Name, practice and address of the doctor"),
        max_length=500,
        required=False,
        widget=forms.Textarea({"rows": 3, "autocomplete": "off"}),
    )
    text = forms.CharField(
        label=gettext_lazy("Letter"),
        help_text=gettext_lazy(
            "Left out of the draft: private answers such as mood and pregnancy, and the patient’s"
            " own words. Add what the reader needs to know."
        ),
        max_length=LONGEST,
        widget=forms.Textarea({"rows": 24}),
        error_messages={"required": gettext_lazy("The letter is empty.")},
    )

    def __init__(self, *, kind: str, data: Mapping[str, Any] | None, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        self.sign = data is not None and "sign" in data
        if kind == Kind.CHART:
            del self.fields["to"]
            self.fields["text"].help_text = ""

    def clean_to(self) -> str:
        to: str = self.cleaned_data["to"]
        if self.sign and not to:
            raise forms.ValidationError(_("Say to whom the letter goes before you sign it."))
        return to


class LetterView(PatientAdmin[Submission]):
    """The letters of a submission: a draft until a clinician signs, then as it was signed."""

    @record_view
    def letters_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        """Show the letters and, with `kind` or `letter` in the address, the one to write."""
        may_sign = request.user.has_perm("intake.sign_letter")
        if request.method == "POST" and not may_sign:
            raise PermissionDenied
        letter = _letter_of(request, submission)
        if letter and request.method != "POST":
            letter = clinical_letters.newest(letter)
        kind = letter.kind if letter else request.GET.get("kind", "")
        if kind not in Kind.values:
            kind = ""
        page = SubmissionPage(submission)
        form, status = None, 200
        if kind and may_sign and not (letter and letter.signed and request.method != "POST"):
            data = request.POST if request.method == "POST" else None
            form = LetterForm(kind=kind, data=data, initial=_initial(page, kind, letter))
        if request.method == "POST" and form is not None:
            if form.is_valid():
                try:
                    stored = self._store(request, submission, form, kind, letter)
                except Conflict as error:
                    form.add_error(None, str(error))
                    status = 409
                else:
                    return redirect(f"{request.path}?letter={stored.pk}")
            else:
                status = 422
        reads.record_read(submission=submission, by=request.user, request_id=request.request_id)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Letters of %(ref)s") % {"ref": submission.reference},
            "submission": submission,
            "letters": clinical_letters.letters_of(submission),
            "letter": letter,
            "kind": Kind(kind).label if kind else "",
            "kinds": Kind.choices,
            "may_sign": may_sign,
            "form": form,
            "is_popup": False,
        }
        template = "admin/intake/submission/letters.html"
        return TemplateResponse(request, template, context, status=status).render()

    def _store(
        self,
        request: StaffRequest,
        submission: Submission,
        form: LetterForm,
        kind: str,
        letter: ClinicalLetter | None,
    ) -> ClinicalLetter:
        stored = clinical_letters.write(
            submission=submission,
            kind=kind,
            to=form.cleaned_data.get("to", ""),
            text=form.cleaned_data["text"],
            sign=form.sign,
            replaces=letter,
            by=request.user,
            request_id=request.request_id,
        )
        said = _("The letter is signed.") if form.sign else _("The draft is stored.")
        messages.success(request, said)
        return stored

    @record_view
    def letter_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        """Show one letter as a sheet for paper, or send it as PDF. A draft says that it is one."""
        letter = _letter_of(request, submission)
        if letter is None:
            return redirect(self.address("letters", submission.pk))
        as_pdf = "pdf" in request.GET and pdf.is_available()
        audit.record_request(
            request,
            "print",
            str(submission.pk),
            kind="letter",
            ids=[str(letter.pk)],
            to=letter.kind,
            status="signed" if letter.signed else "draft",
            **({"format": "pdf"} if as_pdf else {}),
        )
        context = {
            "letter": letter,
            "submission": submission,
            "born": clinical_letters.born_words(submission),
            "signed_by": person_words(letter.by),
            "by": person_words(request.user),
            "is_pdf": as_pdf,
            "may_pdf": pdf.is_available(),
        }
        template = "admin/intake/submission/letter.html"
        if not as_pdf:
            return TemplateResponse(request, template, context).render()
        data = pdf.from_html(render_to_string(template, context, request))
        name = f"letter-{submission.reference}.pdf"
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        }
        return HttpResponse(data, content_type="application/pdf", headers=headers)


def _letter_of(request: StaffRequest, submission: Submission) -> ClinicalLetter | None:
    """Return the letter that the address names; None without one. Raises Http404."""
    if "letter" not in request.GET:
        return None
    rows = submission.clinical_letters.select_related("by")
    wanted = as_id(request.GET["letter"])
    letter = rows.filter(pk=wanted).first() if wanted else None
    if letter is None:
        raise Http404
    return letter


def _initial(page: SubmissionPage, kind: str, letter: ClinicalLetter | None) -> dict[str, str]:
    """Return what the form shows at first: the stored version, or a draft from the record."""
    if letter is not None:
        return dict(letter.content)
    courses, visits = findings.courses_of(page.submission), visits_of(page.submission)
    return {"text": clinical_letters.draft(page, kind, courses=courses, visits=visits)}
