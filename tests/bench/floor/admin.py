from django.contrib import admin

from tests.bench.floor.models import Record


@admin.register(Record)
class RecordAdmin(admin.ModelAdmin):
    """Django's stock changelist. Options that are not set here have Django's defaults."""

    list_display = [
        "reference", "name", "email", "phone", "urgency", "status", "submitted_at", "assignee"
    ]  # fmt: skip
    list_filter = ["status", "urgency"]
    search_fields = ["name", "email", "reference"]
