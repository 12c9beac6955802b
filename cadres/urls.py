from django.urls import path

from cadres import views

app_name = "cadres"
urlpatterns = [
    path("jobs/<int:pk>/", views.job, name="job"),
    path("access/", views.access_log, name="access-log"),
    path("people/", views.people, name="people"),
    path("people/reclassify/", views.reclassify, name="reclassify"),
    path("people/<int:pk>/", views.person, name="person"),
    path("people/<int:pk>/reveal/", views.reveal, name="reveal"),
]
