"""The configuration of the admin, for INSTALLED_APPS.

In apps.py Django would take it for the configuration of the app `clinic`.
"""

from django.contrib.admin import apps


class ClinicAdminConfig(apps.AdminConfig):
    default_site = "clinic.adminsite.ClinicAdminSite"
