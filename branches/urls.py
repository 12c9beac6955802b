from django.urls import include, path

from branches.views import comparisons, imports

app_name = "branches"
_imports = [
    path("", imports.import_list, name="import-list"),
    path("new/", imports.import_new, name="import-new"),
    path("<int:pk>/", imports.import_detail, name="import-detail"),
    path("<int:pk>/confirm/", imports.import_confirm, name="import-confirm"),
    path("<int:pk>/discard/", imports.import_discard, name="import-discard"),
    path("<int:pk>/undo/", imports.import_undo, name="import-undo"),
    path("<int:pk>/rejected.xlsx", imports.import_rejected, name="import-rejected"),
]
_comparisons = [
    path("", comparisons.comparison_list, name="comparison-list"),
    path("new/", comparisons.comparison_new, name="comparison-new"),
    path("<int:pk>/", comparisons.comparison_detail, name="comparison-detail"),
    path("<int:pk>/export/", comparisons.comparison_export, name="comparison-export"),
]
urlpatterns = [
    path("imports/", include(_imports)),
    path("comparisons/", include(_comparisons)),
]
