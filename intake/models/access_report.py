"""The access report: audit events as an auditor reads them."""

from django.utils.translation import gettext_lazy as _

from clinic.models import Event


class AccessReport(Event):
    """An audit event as the access report shows it: who looked at which record, and when."""

    class Meta:
        proxy = True
        default_permissions = ("view",)
        verbose_name = _("access report")
        verbose_name_plural = _("access reports")
