from django.urls import path

from branches.views import imports, mapping, missing

app_name = "branches"
urlpatterns = [
    path("", imports.import_list, name="import-list"),
    path("new/", imports.import_new, name="import-new"),
    path("<int:pk>/", imports.import_detail, name="import-detail"),
    path("<int:pk>/confirm/", imports.import_confirm, name="import-confirm"),
    path("<int:pk>/discard/", imports.import_discard, name="import-discard"),
    path("<int:pk>/undo/", imports.import_undo, name="import-undo"),
    path("<int:pk>/rejected.xlsx", imports.import_rejected, name="import-rejected"),
    path("<int:pk>/names/", mapping.import_names, name="import-names"),
    path("<int:pk>/omitted/", missing.import_omitted, name="import-omitted"),
]
