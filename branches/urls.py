from django.urls import include, path

from branches.views import departures, imports

app_name = "branches"
import_urls = [
    path("", imports.import_list, name="import-list"),
    path("new/", imports.import_new, name="import-new"),
    path("<int:pk>/", imports.import_detail, name="import-detail"),
    path("<int:pk>/confirm/", imports.import_confirm, name="import-confirm"),
    path("<int:pk>/discard/", imports.import_discard, name="import-discard"),
    path("<int:pk>/undo/", imports.import_undo, name="import-undo"),
    path("<int:pk>/rejected.xlsx", imports.import_rejected, name="import-rejected"),
]
urlpatterns = [
    path("imports/", include(import_urls)),
    path("departures/<int:pk>/", departures.departure, name="departure"),
    path("departures/<int:pk>/return/", departures.come_back, name="departure-return"),
    path("departures/<int:pk>/take-back/", departures.take_back, name="departure-take-back"),
]
