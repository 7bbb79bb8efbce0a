"""Ask which answer counts, if another window answered a question after this page was shown.

A name is here a name of `Content.given`: the id of a question, or a detail of contact or wish.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class TwoAnswers:
    """The answer of this page and the different answer of another window, both in words."""

    name: str
    label: str
    mine: str
    other: str
    language: str = ""


class KeepForm(WalkForm):
    """One choice for each question that was answered in another window, too.

    `data` has what was chosen so far.
    """

    def __init__(self, asked: Iterable[TwoAnswers], data: QueryDict) -> None:
        super().__init__(data=data)
        for two in asked:
            # Any, because our templates read `language`, which Django's fields do not have
            field: Any = forms.ChoiceField(
                label=two.label,
                choices=[
                    (THIS, _("This window: %(answer)s") % {"answer": two.mine}),
                    (OTHER, _("The other window: %(answer)s") % {"answer": two.other}),
                ],
                widget=forms.RadioSelect,
                error_messages={
                    "required": gettext_lazy("Choose the answer that you want to keep.")
                },
            )
            field.language = two.language
            self.fields[f"{CHOICE}{two.name}"] = field


def of_questions(
    walk: Walk, page: QuestionPage, since: Collection[str], mine: Mapping[str, Any]
) -> list[TwoAnswers]:
    """Return both answers to each question of a page that is in `since`."""
    found = []
    for question in page.questions:
        if question.id in since:
            asked = question.for_proxy() if walk.proxied else question
            hidden = asked.id in walk.content.veiled
            theirs = words_of(asked, walk.content.answers.get(asked.id))
            found.append(
                TwoAnswers(
                    asked.id,
                    asked.text,
                    mine=words_of(asked, mine.get(asked.id)),
                    other=_("Answered") if hidden else theirs,
                    language=if_foreign(walk.words.language_of_question(asked.id)),
                )
            )
    return found


def words_of(question: Question, value: Any) -> str:
    """Return an answer in words, on one line."""
    return ", ".join(reading.answer_words(question, value)) or _("No answer")


def show_choice(
    request: Request,
    draft: Draft,
    walk: Walk,
    step: str,
    asked: Sequence[TwoAnswers],
    posted: QueryDict,
) -> HttpResponse:
    """Show both answers to each question in `asked`, and ask which one to keep."""
    form = KeepForm(asked, posted)
    if CHOOSES not in posted:  # the patient has not pressed Continue on this page
        form.show_unjudged()
    context = {
        "form": form,
        "asked": " ".join(two.name for two in asked),
        "page": {
            "id": step,
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
    request: Request,
    draft: Draft,
    walk: Walk,
    step: str,
    *,
    names: Iterable[str],
    take_other: Callable[[QueryDict, str], None],
) -> QueryDict | HttpResponse:
    """Return what was posted on the step with the choices of this request, as a page would post it.

    `names` are the names that the step can ask about. `take_other` puts the other window's answer
    into what was posted. If a choice is missing, or another button than Continue was pressed,
    returns the response. The answers count only if no window has answered again since the choice
    was shown.
    """
    returned = returned_page(walk, step)
    if returned is None:  # another window answered this page meanwhile
        return see_other(request, walk, step)
    posted, typed = returned.posted, walk.content.returned[step].get("typed")
    for name in names:
        if (choice := request.POST.get(CHOICE + name, "")) in (THIS, OTHER):
            posted[CHOICE + name] = choice
    if LANGUAGE in request.POST:
        return give_back(request, draft, walk, step, posted=posted, typed=typed)
    if request.POST.get("go") == "save":
        give_back(request, draft, walk, step, posted=posted, typed=typed)
        return redirect("intake:save")
    asked = request.POST.get(CHOOSES, "").split()
    if any(CHOICE + name not in posted for name in asked):
        posted[CHOOSES] = " ".join(asked)
        return give_back(request, draft, walk, step, posted=posted, typed=typed)
    shown = revision_of(request.POST) or 0
    if any(walk.content.changed.get(name, 0) > shown for name in asked):
        return see_other(request, walk, step)
    resolved = without_choices(posted)
    for name in names:
        if posted.get(CHOICE + name) == OTHER:
            take_other(resolved, name)
    resolved["revision"] = str(shown)
    return resolved


def chosen_answers(
    request: Request, draft: Draft, walk: Walk, page: QuestionPage
) -> QueryDict | HttpResponse:
    """Return what was posted on a page of questions, with the choices of this request."""
    questions = {question.id: question for question in page.questions}

    def take_other(posted: QueryDict, name: str) -> None:
        posted.setlist(name, as_posted(questions[name], walk.content.answers.get(name)))

    return chosen(request, draft, walk, page.id, names=questions, take_other=take_other)


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
