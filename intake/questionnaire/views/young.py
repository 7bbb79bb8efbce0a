"""Stop a patient who is too young to fill in the form alone.

If the age may be a typing error, the patient is asked first.
"""

from collections.abc import Collection

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from clinic.requests import Request
from intake.domain.triage import Assessment
from intake.domain.wording import Wording
from intake.models.submissions import Draft
from intake.protocols import served
from intake.questionnaire import drafts
from intake.questionnaire.views.browser import (
    clear_device,
    draft_missing,
    draft_notice,
    draft_of,
    follow_page_language,
    redirect_to,
    renew_cookie,
    words_of,
)
from intake.wording import advice
from intake.wording.languages import if_foreign


@require_http_methods(["GET", "HEAD", "POST"])
def confirm_age(request: Request) -> HttpResponse:
    """Ask whether a very low age is right.

    'Yes' deletes the draft. 'No' opens the page that asks for the age again, with everything that
    the patient had typed on that page.
    """
    draft = draft_of(request)
    says_yes = request.POST.get("go") == "yes"
    if draft is None and says_yes:  # after a double click, whose first click deleted the draft
        return clear_device(show_minor(request, any_blocking_advice()))
    if draft is None:
        return draft_missing(request)
    if draft.submission_id:
        return redirect("intake:sent")
    follow_page_language(draft)
    walk = drafts.walk_of(draft)
    unsure = walk.content.unsure
    if walk.interrupting_rules:
        return redirect("intake:emergency")
    if not unsure:
        return redirect_to(walk.protocol, walk.first_open)
    if request.method != "POST":
        context = {
            "age": unsure["age"],
            "draft_notice": draft_notice(walk.words, walk.protocol.approved),
        }
        return render(request, "intake/sure.html", context)
    if not says_yes:
        # if every step is done, the patient came from the check page and goes back there
        back = redirect_to(walk.protocol, unsure["step"], change=walk.first_open is None)
        return renew_cookie(request, back, draft)
    # a page that was left open may ask about an age that the patient has changed meanwhile
    if request.POST.get("age") == str(unsure["age"]) and drafts.confirm_age(draft=draft):
        return clear_device(show_minor(request, blocking_advice(walk.words), deleted=True))
    return redirect("intake:sure")


def stop_minor(
    request: Request, draft: Draft, assessment: Assessment, words: Wording
) -> HttpResponse:
    """Delete the draft of a minor without a parent or guardian, and show why (rule M01)."""
    drafts.delete(draft=draft)
    fired = {rule.id for rule in assessment.fired}
    return clear_device(show_minor(request, blocking_advice(words, fired), deleted=True))


def blocking_advice(words: Wording, fired: Collection[str] | None = None) -> list[dict[str, str]]:
    """Return the advice of each rule that forbids going on, and the language of the advice.

    The language is '' if it is the language of the page. With `fired`, only rules whose ids are in
    `fired` count.
    """
    return [
        {
            "text": advice.with_local_numbers(rule.advice),
            "language": if_foreign(words.language_of(rule.level)),
        }
        for rule in words.protocol.rules.rules
        if rule.blocks_submission and (fired is None or rule.id in fired)
    ]


def any_blocking_advice() -> list[dict[str, str]]:
    """Return the advice of the first served protocol that has rules that forbid going on.

    Called for a patient whose draft is gone, because nothing tells which protocol the draft had.
    """
    found = (blocking_advice(words_of(protocol)) for protocol in served())
    return next((texts for texts in found if texts), [])


def show_minor(
    request: Request, texts: list[dict[str, str]], *, deleted: bool = False
) -> HttpResponse:
    """Tell a young patient who is alone whom to ask for help and whom to call."""
    return render(request, "intake/minor.html", {"advice": texts, "deleted": deleted})
