from django.urls import path

from cadres.views import access, care, care_lists, class_ledger, jobs, people, review, units

app_name = "cadres"
urlpatterns = [
    path("jobs/<int:pk>/", jobs.job, name="job"),
    path("access/", access.access_log, name="access-log"),
    path("units/", units.units, name="units"),
    path("people/", people.people, name="people"),
    path("people/review/", review.review_list, name="review-list"),
    path("people/<int:pk>/review/", review.review, name="review"),
    path("people/reclassify/", people.reclassify, name="reclassify"),
    path("people/reclassify/all/", people.reclassify_found, name="reclassify-found"),
    path("people/class-ledger/", class_ledger.class_ledger, name="class-ledger"),
    path("people/<int:pk>/", people.person, name="person"),
    path("people/<int:pk>/reveal/", people.reveal, name="reveal"),
    path("care/", care.care_list, name="care"),
    path("care/new/", care.care_new, name="care-new"),
    path("care/birthdays/", care_lists.birthdays, name="care-birthdays"),
    path("care/visits/", care_lists.visits, name="care-visits"),
    path("care/<int:pk>/", care.care_record, name="care-record"),
    path("care/<int:pk>/void/", care.care_void, name="care-void"),
]
