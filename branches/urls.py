from django.urls import path

from branches.views import branches, comparisons, departures, imports, mapping, missing

app_name = "branches"
urlpatterns = [
    path("branches/", branches.branches, name="branches"),
    path("imports/", imports.import_list, name="import-list"),
    path("imports/new/", imports.import_new, name="import-new"),
    path("imports/<int:pk>/", imports.import_detail, name="import-detail"),
    path("imports/<int:pk>/confirm/", imports.import_confirm, name="import-confirm"),
    path("imports/<int:pk>/discard/", imports.import_discard, name="import-discard"),
    path("imports/<int:pk>/undo/", imports.import_undo, name="import-undo"),
    path("imports/<int:pk>/rejected.xlsx", imports.import_rejected, name="import-rejected"),
    path("imports/<int:pk>/names/", mapping.import_names, name="import-names"),
    path("imports/<int:pk>/omitted/", missing.import_omitted, name="import-omitted"),
    path("comparisons/", comparisons.comparison_list, name="comparison-list"),
    path("comparisons/new/", comparisons.comparison_new, name="comparison-new"),
    path("comparisons/<int:pk>/", comparisons.comparison_detail, name="comparison-detail"),
    path("comparisons/<int:pk>/export/", comparisons.comparison_export, name="comparison-export"),
    path("departures/<int:pk>/", departures.departure, name="departure"),
    path("departures/<int:pk>/return/", departures.come_back, name="departure-return"),
    path("departures/<int:pk>/take-back/", departures.take_back, name="departure-take-back"),
]
