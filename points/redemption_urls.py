"""Addresses of redemption: days, tills, reservations."""

from django.urls import path

from points.views import days, paper, reserve, till

urlpatterns = [
    path("days/", days.day_list, name="days"),
    path("days/new/", days.day_new, name="day-new"),
    path("days/<int:pk>/", days.day_detail, name="day"),
    path("days/<int:pk>/edit/", days.day_edit, name="day-edit"),
    path("days/<int:pk>/stock/", days.day_stock, name="day-stock"),
    path("days/<int:pk>/open/", days.day_open, name="day-open"),
    path("days/<int:pk>/finish/", days.day_finish, name="day-finish"),
    path("days/<int:pk>/call-off/", days.day_call_off, name="day-call-off"),
    path("days/<int:pk>/till/", till.till, name="till"),
    path("days/<int:pk>/list/", paper.day_sheet, name="day-sheet"),
    path("days/<int:pk>/paper/", paper.day_paper, name="day-paper"),
    path("redemptions/", days.redemption_list, name="redemptions"),
    path("redemptions/<int:pk>/slip/", till.slip, name="slip"),
    path("redemptions/<int:pk>/cancel/", reserve.cancel, name="cancel"),
    path("rewards/<int:pk>/picture/", days.picture, name="picture"),
    path("reserve/", reserve.find, name="reserve-find"),
    path("people/<int:pk>/reserve/", reserve.reserve, name="reserve"),
]
