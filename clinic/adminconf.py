"""The admin's place in INSTALLED_APPS.

Not in apps.py: there Django would take it for the configuration of the app `clinic` itself.
"""

from django.contrib.admin import apps


class ClinicAdminConfig(apps.AdminConfig):
    default_site = "clinic.adminsite.ClinicAdminSite"
