from django.urls import path

from cadres.views import access, jobs, people, units

app_name = "cadres"
urlpatterns = [
    path("jobs/<int:pk>/", jobs.job, name="job"),
    path("access/", access.access_log, name="access-log"),
    path("units/", units.units, name="units"),
    path("people/", people.people, name="people"),
    path("people/reclassify/", people.reclassify, name="reclassify"),
    path("people/<int:pk>/", people.person, name="person"),
    path("people/<int:pk>/reveal/", people.reveal, name="reveal"),
]
