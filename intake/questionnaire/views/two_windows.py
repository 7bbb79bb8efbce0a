"""Ask which answer counts, if another window answered a question after this page was shown."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django import forms
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.requests import Request
from intake.domain import answers as domain
from intake.domain.definition import Question, QuestionPage
from intake.forms.base import WalkForm
from intake.models.submissions import Draft
from intake.questionnaire.views.browser import draft_notice, reach_words
from intake.questionnaire.views.returned import (
    LANGUAGE,
    give_back,
    returned_page,
    revision_of,
    see_other,
)
from intake.questionnaire.walk import Walk
from intake.wording import reading
from intake.wording.languages import if_foreign

CHOICE: Final = "keep_"  # the names of the choices begin so; the id of the question follows
CHOOSES: Final = "choose"  # the hidden field of the page that asks which answer counts
THIS, OTHER = "this", "other"


class KeepForm(WalkForm):
    """One choice for each question that was answered in another window, too.

    `mine` are the answers of the page that was posted, `data` has what was chosen so far.
    """

    def __init__(
        self,
        walk: Walk,
        questions: Iterable[Question],
        mine: Mapping[str, Any],
        data: QueryDict,
    ) -> None:
        super().__init__(data=data)
        for question in questions:
            asked = question.for_proxy() if walk.proxied else question
            theirs = walk.content.answers.get(asked.id)
            hidden = asked.id in walk.content.veiled
            # Any, because our templates read `language`, which Django's fields do not have
            field: Any = forms.ChoiceField(
                label=asked.text,
                choices=[
                    (THIS, _("This window: %(answer)s") % {"answer": in_words(asked, mine)}),
                    (
                        OTHER,
                        _("The other window: %(answer)s")
                        % {"answer": _("Answered") if hidden else words_of(asked, theirs)},
                    ),
                ],
                widget=forms.RadioSelect,
                error_messages={
                    "required": gettext_lazy("Choose the answer that you want to keep.")
                },
            )
            field.language = if_foreign(walk.words.language_of_question(asked.id))
            self.fields[f"{CHOICE}{asked.id}"] = field


def in_words(question: Question, answers: Mapping[str, Any]) -> str:
    return words_of(question, answers.get(question.id))


def words_of(question: Question, value: Any) -> str:
    """Return an answer in words, on one line."""
    return ", ".join(reading.answer_words(question, value)) or _("No answer")


def show_choice(
    request: Request,
    draft: Draft,
    walk: Walk,
    page: QuestionPage,
    *,
    since: Iterable[str],
    mine: Mapping[str, Any],
    posted: QueryDict,
) -> HttpResponse:
    """Show both answers to each question in `since`, and ask which one to keep."""
    wanted = set(since)
    questions = [question for question in page.questions if question.id in wanted]
    form = KeepForm(walk, questions, mine, posted)
    if CHOOSES not in posted:  # the patient has not pressed Continue on this page
        form.show_unjudged()
    context = {
        "form": form,
        "asked": " ".join(question.id for question in questions),
        "page": {
            "id": page.id,
            "title": _("You answered this in another window. Which answer do you want to keep?"),
        },
        "title_language": "",
        "progress": "",
        "back_url": "",
        "panels": [],
        "change": bool(request.GET.get("change")),
        "notice": "",
        "revision": draft.revision,
        "reach": reach_words(walk),
        "draft_notice": draft_notice(walk.words, walk.protocol.approved),
    }
    return render(request, "intake/which_answer.html", context, status=409)


def chosen(
    request: Request, draft: Draft, walk: Walk, page: QuestionPage
) -> QueryDict | HttpResponse:
    """Return the page's answers with the choices of this request, as a page would post them.

    If a choice is missing, or another button than Continue was pressed, returns the response. The
    answers count only if no window has answered again since the choice was shown.
    """
    returned = returned_page(walk, page.id)
    if returned is None:  # another window answered this page meanwhile
        return see_other(request, walk, page.id)
    posted = returned.posted
    for question in page.questions:
        if (choice := request.POST.get(CHOICE + question.id, "")) in (THIS, OTHER):
            posted[CHOICE + question.id] = choice
    if LANGUAGE in request.POST:
        return give_back(request, draft, walk, page.id, posted=posted)
    if request.POST.get("go") == "save":
        give_back(request, draft, walk, page.id, posted=posted)
        return redirect("intake:save")
    asked = [name for name in request.POST.get(CHOOSES, "").split() if name]
    if any(CHOICE + name not in posted for name in asked):
        posted[CHOOSES] = " ".join(asked)
        return give_back(request, draft, walk, page.id, posted=posted)
    shown = revision_of(request.POST) or 0
    if any(walk.content.changed.get(name, 0) > shown for name in asked):
        return see_other(request, walk, page.id)
    return _resolved(walk, page, posted, revision=shown)


def _resolved(walk: Walk, page: QuestionPage, posted: QueryDict, *, revision: int) -> QueryDict:
    """Return what was posted, with the other window's answer where the patient chose it."""
    resolved = without_choices(posted)
    for question in page.questions:
        if posted.get(CHOICE + question.id) == OTHER:
            value = walk.content.answers.get(question.id)
            resolved.setlist(question.id, as_posted(question, value))
    resolved["revision"] = str(revision)
    return resolved


def without_choices(posted: QueryDict) -> QueryDict:
    """Return what was posted on the page itself."""
    own = posted.copy()
    for name in posted:
        if name == CHOOSES or name.startswith(CHOICE):
            del own[name]
    return own


def as_posted(question: Question, value: Any) -> list[str]:
    """Return an answer as the controls of its question post it."""
    if value is None or value is False:
        return []
    if value is True:
        return ["on"]
    plain = domain.to_json({question.id: value})[question.id]
    return [str(each) for each in plain] if isinstance(plain, list) else [str(plain)]
