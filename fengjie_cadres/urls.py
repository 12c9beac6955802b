"""All addresses. What is open without logging in is listed in OPEN_VIEWS and nowhere else."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path

from fengjie_cadres import (
    export_views,
    figure_views,
    history_views,
    login_views,
    two_step_views,
    views,
)

#: Names of the only pages that strangers may open (compared with the resolver by a test).
OPEN_VIEWS = {"healthz", "readyz", "login", "privacy", "text-size"}

urlpatterns = [
    path("", views.home, name="home"),
    path("login/", views.Login.as_view(), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("two-step/check/", two_step_views.two_step_check, name="two-step-check"),
    path("two-step/", two_step_views.two_step_page, name="two-step"),
    path("password/", login_views.password, name="password"),
    path("still-here/", login_views.still_here, name="still-here"),
    path("resume/", login_views.resume, name="resume"),
    path("role/", login_views.role, name="role"),
    path("text-size/", views.text_size, name="text-size"),
    path("privacy/", views.privacy, name="privacy"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("people/classes/", figure_views.class_totals_page, name="class-totals"),
    path("", include("cadres.urls")),
    path("exports/", export_views.exports, name="exports"),
    path("exports/new/<slug:kind>/", export_views.export_new, name="export-new"),
    path("exports/<int:pk>/", export_views.export, name="export"),
    path("exports/<int:pk>/decide/", export_views.export_decide, name="export-decide"),
    path("exports/<int:pk>/file/", export_views.export_file, name="export-file"),
    path("history/", history_views.history, name="history"),
    path("", include("branches.urls")),
    path("points/", include("points.urls")),
    path("admin/", admin.site.urls),
]
handler400 = "fengjie_cadres.views.bad_request"
handler404 = "fengjie_cadres.views.not_found"
handler403 = "fengjie_cadres.views.forbidden"
handler500 = "fengjie_cadres.views.server_error"
