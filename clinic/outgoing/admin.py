"""The mail queue in the admin, and the buttons with which staff settle a failed message."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_tasks_db.models import DBTaskResult

from clinic import audit
from clinic.lists import FixedFilter, ListOnly, RecordedAdmin
from clinic.models import Message
from clinic.outgoing import outbox, oversight
from clinic.requests import request_id, signed_in_user

# Queued tasks get no admin page, because a task shows only that some message waits.
admin.site.unregister(DBTaskResult)


class StateFilter(FixedFilter):
    title = gettext_lazy("state")
    parameter_name = "state"
    options = list(Message.State.choices)


@admin.register(Message)
class MessageAdmin(ListOnly[Message], RecordedAdmin[Message]):
    """The list of messages. It shows no address and no text, because the table has none."""

    list_title = gettext_lazy("Mail queue")
    list_display = [
        *("what", "about", "lane", "status", "delivered", "attempts", "error", "due_at"),
        *("next_try", "finished_at", "acts"),
    ]
    list_filter = [StateFilter]
    ordering = ["-id"]
    sortable_by: ClassVar[list[str]] = []
    is_in_index = False
    posts = {"again": oversight.try_again, "aside": oversight.set_aside}

    def record_list(self, request: HttpRequest, changelist: ChangeList) -> None:
        """Record that the list was read, and add `known` and `may_settle` to each row.

        `known` names what the message is about, and `may_settle` is the permission of this user.
        """
        shown = list(changelist.result_list)
        known, may_settle = outbox.abouts(shown), may(request, "settle")
        for row in shown:
            row.known, row.may_settle = known[row.pk], may_settle
        changelist.result_list = shown
        audit.record_request(request, "list", page="message", count=len(shown))

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<uuid:pk>/{name}/",
                self.admin_site.admin_view(self.settle_view),
                {"name": name},
                name=f"clinic_message_{name}",
            )
            for name in self.posts
        ]
        return own + super().get_urls()

    def settle_view(self, request: HttpRequest, pk: UUID, name: str) -> HttpResponse:
        """Do what the pressed button beside a failed message says: try again, or set aside."""
        if not may(request, "settle"):
            raise PermissionDenied
        message = self.record_or_404(request, pk)
        if request.method == "POST":
            try:
                self.posts[name](
                    message=message,
                    actor=audit.staff(signed_in_user(request)),
                    request_id=request_id(request),
                )
            except oversight.Settled as error:
                messages.error(request, str(error))
            else:
                messages.success(request, _("Done."))
        return redirect(self.address("changelist"))

    # --- columns ----------------------------------------------------------------------------------
    @admin.display(description=gettext_lazy("What"))
    def what(self, row: Message) -> str:
        """Return the kind in words, such as 'Appointment offer' for `appointment_offer`."""
        return row.kind.replace("_", " ").capitalize()

    @admin.display(description=gettext_lazy("About"))
    def about(self, row: Any) -> str:
        return row.known or "–"

    @admin.display(description=gettext_lazy("State"))
    def status(self, row: Message) -> str:
        mark = format_html('<strong class="overdue">{}</strong>', row.get_state_display())
        return mark if row.state == Message.State.FAILED else row.get_state_display()

    @admin.display(description=gettext_lazy("Delivery"), empty_value="–")
    def delivered(self, row: Message) -> str | None:
        """Return what the provider reported, with its code in brackets."""
        if not row.delivery and not row.delivery_trouble:
            return None
        words = row.get_delivery_display() if row.delivery else _("On the way")
        return f"{words} ({row.delivery_trouble})" if row.delivery_trouble else words

    @admin.display(description=gettext_lazy("Next try"))
    def next_try(self, row: Message) -> Any:
        return row.next_at if row.state == Message.State.WAITING else None

    @admin.display(description="", empty_value="")
    def acts(self, row: Any) -> str | None:
        if row.state != Message.State.FAILED or not row.may_settle:
            return None
        # the buttons need no form of their own, because the admin's list is a form with a token
        return format_html_join(
            " ",
            '<button class="button" formaction="{}">{}</button>',
            [
                (self.address("again", row.pk), _("Try again")),
                (self.address("aside", row.pk), _("Dealt with")),
            ],
        )


def may(request: HttpRequest, verb: str) -> bool:
    """Return whether the signed-in member of staff has the permission `verb` for messages."""
    return request.user.has_perm(f"clinic.{verb}_message")
