from django.contrib import admin

from tests.bench.floor.models import Record


@admin.register(Record)
class RecordAdmin(admin.ModelAdmin):
    """Django's changelist as its documentation has it; what is not said is as it comes."""

    list_display = [
        "reference", "name", "email", "phone", "urgency", "status", "submitted_at", "assignee"
    ]  # fmt: skip
    list_filter = ["status", "urgency"]
    search_fields = ["name", "email", "reference"]
