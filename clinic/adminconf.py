"""The configuration of the admin, for INSTALLED_APPS.

The class does not stand in apps.py, because there Django would take the class for the
configuration of the app `clinic`.
"""

from django.contrib.admin import apps


class ClinicAdminConfig(apps.AdminConfig):
    default_site = "clinic.adminsite.ClinicAdminSite"
