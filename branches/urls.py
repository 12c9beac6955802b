from django.urls import path

from branches import views

app_name = "branches"
urlpatterns = [
    path("", views.import_list, name="import-list"),
    path("new/", views.import_new, name="import-new"),
    path("<int:pk>/", views.import_detail, name="import-detail"),
    path("<int:pk>/confirm/", views.import_confirm, name="import-confirm"),
    path("<int:pk>/discard/", views.import_discard, name="import-discard"),
    path("<int:pk>/undo/", views.import_undo, name="import-undo"),
    path("<int:pk>/rejected.xlsx", views.import_rejected, name="import-rejected"),
]
