"""Ask for a one-time code, and redeem the code.

No URL names a submission: the browser sends a key, whose hash is stored.
"""

from collections.abc import Callable

from django.conf import settings
from django.forms import Form
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic import limits
from clinic.requests import Request
from intake.access import code_limits, codes, grants
from intake.access.forms import CodeForm, FindForm, ResumeForm, ReturnForm
from intake.models.access import Grant
from intake.my_page import which_draft
from intake.my_page.browser_key import hold_key, key_of
from intake.my_page.returned import REFUSAL, returned_page
from intake.my_page.status_page import reply_form, show
from intake.questionnaire import drafts
from intake.questionnaire.views.not_served import when_not_served
from intake.questionnaire.views.request_limits import HOUR, too_often_words, with_retry_after
from intake.questionnaire.views.returned import see_other_page

OPENS_NOTHING = "opens nothing"
LONGEST_CODE = 1000  # characters of a typed code that are shown again


def _ask(request: Request, form_class: type[FindForm], way: str) -> HttpResponse:
    """Ask for an address, or send a code to the typed address.

    The response never tells whether the address or the reference is known.
    """
    form = form_class(data=request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _show_ask(request, form, way, status=422 if form.is_bound else 200)
    address, reference = form.cleaned_data["address"], form.cleaned_data.get("reference") or None
    mailbox, peer = codes.address_key(address), limits.peer(request)
    if seconds := code_limits.count_request(peer=peer, mailbox=mailbox, reference=reference):
        notice = too_often_words(seconds)
        if reference is None:
            notice += " " + _(
                "Your number is in our first message to you. Ask with the number instead."
            )
        return with_retry_after(_show_ask(request, form, way, status=429, notice=notice), seconds)
    key = codes.send(address=address, reference=reference, unsent_first=way == "resume")
    return hold_key(redirect("intake:code"), key)


def _show_ask(
    request: Request, form: Form, way: str, *, status: int, notice: str = ""
) -> HttpResponse:
    context = {"form": form, "way": way, "notice": notice}
    return render(request, "my/ask.html", context, status=status)


def typed_question(form_class: type[FindForm], way: str) -> Callable[..., HttpResponse]:
    """Return a function for `when_not_served` that shows this form again with what was typed."""

    def again(request: Request, *, status: int, notice: str) -> HttpResponse:
        return _show_ask(request, form_class(data=request.POST), way, status=status, notice=notice)

    return again


@when_not_served(typed_question(ReturnForm, "my"))
@require_http_methods(["GET", "HEAD", "POST"])
def my(request: Request) -> HttpResponse:
    """Show the own page, or ask for the reference and address of a submission."""
    if request.method != "POST" and (grant := grants.find(key_of(request))):
        return _show_own_page(request, grant)
    return _ask(request, ReturnForm, "my")


def _show_own_page(request: Request, grant: Grant) -> HttpResponse:
    """Show the own page, and what the clinic did not do when the patient last asked for it."""
    refused = returned_page(grant, REFUSAL)
    status, notice = (409, refused.notice) if refused else (200, "")
    return show(request, grant, reply_form(grant), status=status, notice=notice)


@when_not_served(typed_question(FindForm, "find"))
@require_http_methods(["GET", "HEAD", "POST"])
def find(request: Request) -> HttpResponse:
    """Ask for the address alone, because the patient forgot the reference."""
    return _ask(request, FindForm, "find")


@when_not_served(typed_question(ResumeForm, "resume"))
@require_http_methods(["GET", "HEAD", "POST"])
def resume(request: Request) -> HttpResponse:
    """Ask for the address of a draft that was saved for later, and its reference if known."""
    return _ask(request, ResumeForm, "resume")


@require_POST
def back(request: Request) -> HttpResponse:
    """Send a code for the draft that this browser began and was too long idle to open.

    The code goes to the address in the draft, which no page shows.
    """
    draft = drafts.find_out_of_reach(request.COOKIES.get(settings.DRAFT_COOKIE_NAME, ""))
    address = drafts.way_back(draft) if draft else ""
    if draft is None or not address:
        return redirect("intake:resume")
    mailbox, peer = codes.address_key(address), limits.peer(request)
    wait = code_limits.count_request(peer=peer, mailbox=mailbox, reference=draft.reference)
    if wait:
        response = _show_ask(
            request, ResumeForm(), "resume", status=429, notice=too_often_words(wait)
        )
        return with_retry_after(response, wait)
    return hold_key(redirect("intake:code"), codes.send_for(draft=draft, address=address))


def _show_code(request: Request, form: CodeForm, *, status: int, notice: str = "") -> HttpResponse:
    return render(request, "my/code.html", {"form": form, "notice": notice}, status=status)


def show_typed_code(request: Request, *, status: int, notice: str) -> HttpResponse:
    return _show_code(request, CodeForm(data=request.POST), status=status, notice=notice)


@when_not_served(show_typed_code)
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: Request) -> HttpResponse:
    """Redeem the typed code, or send a new code."""
    key = key_of(request)
    if not key:
        return redirect("intake:my")
    if request.method != "POST":
        return _show_code_page(request, key)
    if request.POST.get("go") == "again":
        return _send_again(request, key)
    form = CodeForm(data=request.POST)
    if not form.is_valid():
        return _give_code_back(request, form, key)
    tries = limits.Limit(f"code-peer:{limits.peer(request)}", settings.LIMIT_TRIES_PEER, HOUR)
    # a browser whose own code has tries left may go on when its network's limit is reached
    if (seconds := limits.take_all(tries)) and not codes.may_still_try(key=key):
        notice = too_often_words(seconds)
        return with_retry_after(_show_code(request, form, status=429, notice=notice), seconds)
    opened = codes.redeem(key=key, code=form.cleaned_data["code"], request_id=request.request_id)
    if opened is None:
        return _give_code_back(request, form, key, why=OPENS_NOTHING)
    if opened.draft and (response := which_draft.ask_first(request, opened)):
        return response
    return _go_to(opened)


def _show_code_page(request: Request, key: str) -> HttpResponse:
    """Ask for the code. If the last code opened nothing, show the code and say why."""
    before = codes.typed_before(key=key)
    if before is None:
        return _show_code(request, CodeForm(), status=200)
    typed = QueryDict(mutable=True)
    typed["code"] = before["code"]
    return _show_refused_code(request, CodeForm(data=typed), why=before["why"])


def _give_code_back(request: Request, form: CodeForm, key: str, why: str = "") -> HttpResponse:
    """Redirect to the page that shows the typed code and says why it opened nothing."""
    if codes.keep_typed(key=key, code=form.data.get("code", "")[:LONGEST_CODE], why=why):
        return see_other_page("intake:code")
    return _show_refused_code(request, form, why=why)


def _show_refused_code(request: Request, form: CodeForm, *, why: str) -> HttpResponse:
    if form.is_valid() and why == OPENS_NOTHING:
        form.add_error(
            "code",
            _(
                "This code does not open anything. Check it. A code works for 10 minutes, in the "
                "window where you asked for it, and may be tried 5 times."
            ),
        )
    return _show_code(request, form, status=422)


def _send_again(request: Request, key: str) -> HttpResponse:
    """Send a new code to the address for which this browser requested a code."""
    asked = codes.asked_for(key=key)
    if asked is None:
        return redirect("intake:my")
    mailbox, reference = asked
    peer = limits.peer(request)
    if seconds := code_limits.count_request(peer=peer, mailbox=mailbox, reference=reference):
        notice = too_often_words(seconds)
        return with_retry_after(_show_code(request, CodeForm(), status=429, notice=notice), seconds)
    renewed = codes.renew(key=key)
    return hold_key(redirect("intake:code"), renewed) if renewed else redirect("intake:my")


def _go_to(opened: codes.Opened) -> HttpResponse:
    """Redirect to the draft or own page that the code opened, and set the cookie of its key."""
    if opened.draft:
        return which_draft.open_draft(opened.key, opened.draft)
    return hold_key(redirect("intake:my"), opened.key)
