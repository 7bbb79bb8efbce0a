"""A patient who may be too young to fill this in alone: asked when the age may be a slip, stopped
when it is not."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from intake.domain.definition import Rule
from intake.domain.translation import Wording
from intake.domain.triage import Assessment
from intake.models.submissions import Draft
from intake.questionnaire import drafts
from intake.questionnaire.views.browser import (
    draft_missing,
    draft_notice,
    draft_of,
    follow,
    let_go,
    now,
    redirect_to,
    renew_cookie,
)
from intake.wording import advice


@require_http_methods(["GET", "HEAD", "POST"])
def sure(request: HttpRequest) -> HttpResponse:
    """Ask whether a very low age is right. Only 'yes' deletes the draft; 'no' opens the page that
    asked the age, with everything typed there."""
    draft = draft_of(request)
    says_yes = request.POST.get("go") == "yes"
    if draft is None and says_yes:  # the second of two clicks
        return let_go(minor(request, blocking(now())))
    if draft is None:
        return draft_missing(request)
    if draft.submission_id:
        return redirect("intake:sent")
    follow(draft)
    walk = drafts.walk_of(draft)
    unsure = walk.content.unsure
    if walk.interrupting_rules:
        return redirect("intake:emergency")
    if not unsure:
        return redirect_to(walk.first_open)
    if request.method != "POST":
        context = {
            "age": unsure["age"],
            "draft_notice": draft_notice(walk.words, walk.protocol.approved),
        }
        return render(request, "intake/sure.html", context)
    if not says_yes:
        # a walk with nothing left to do was on the check page, and goes back to it
        back = redirect_to(unsure["step"], change=walk.first_open is None)
        return renew_cookie(request, back, draft)
    # an old page may ask about an age that was typed anew meanwhile
    if request.POST.get("age") == str(unsure["age"]) and drafts.confirm_age(draft=draft):
        return let_go(minor(request, blocking(walk.words), deleted=True))
    return redirect("intake:sure")


def stop(
    request: HttpRequest, draft: Draft, assessment: Assessment, words: Wording
) -> HttpResponse:
    """M01: a minor without a parent or guardian is stopped and the draft deleted."""
    drafts.delete(draft=draft)
    fired = {rule.id for rule in assessment.fired}
    rules = [rule for rule in blocking(words) if rule.id in fired]
    return let_go(minor(request, rules, deleted=True))


def blocking(words: Wording) -> list[Rule]:
    """The rules that forbid going on, as `words` say them."""
    return [rule for rule in words.protocol.rules.rules if rule.blocks_submission]


def minor(request: HttpRequest, rules: list[Rule], *, deleted: bool = False) -> HttpResponse:
    """The page for a young patient alone: whom to ask, whom to call."""
    texts = [advice.speak(rule.advice) for rule in rules]
    return render(request, "intake/minor.html", {"advice": texts, "deleted": deleted})
