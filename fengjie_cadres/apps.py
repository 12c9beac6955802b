from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class RoofConfig(AppConfig):
    name = "fengjie_cadres"
    verbose_name = "银耀奉节"


class OfficeAdminConfig(AdminConfig):
    default_site = "fengjie_cadres.admin_site.OfficeAdminSite"
