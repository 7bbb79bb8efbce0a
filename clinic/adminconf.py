"""The configuration of the admin, for INSTALLED_APPS.

This class is not in apps.py, because there Django would take it for the configuration of the app
`clinic`.
"""

from django.contrib.admin import apps


class ClinicAdminConfig(apps.AdminConfig):
    default_site = "clinic.adminsite.ClinicAdminSite"
