"""The office's desk: stock admin with our own words."""

from django.contrib import admin


class OfficeAdminSite(admin.AdminSite):
    site_header = "银耀奉节 · 老干部工作平台"
    site_title = "银耀奉节"
    index_title = "办公桌"
    enable_nav_sidebar = True
    empty_value_display = "—"
    site_url = "/"
