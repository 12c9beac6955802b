"""Addresses of the year's end, the notices and the commendations."""

from django.urls import path

from points.views import commendations, group_ranking, notices, year_end

urlpatterns = [
    path("rollover/", year_end.cycles, name="rollovers"),
    path("rollover/<int:year>/", year_end.rollover, name="rollover"),
    path("rollover/<int:year>/policy/", year_end.policy, name="rollover-policy"),
    path("rollover/<int:year>/publish/", year_end.publish, name="rollover-publish"),
    path("rollover/<int:year>/withdraw/", year_end.withdraw, name="rollover-withdraw"),
    path("rollover/<int:year>/start/", year_end.start, name="rollover-start"),
    path("rollover/<int:year>/calls/", year_end.calls, name="rollover-calls"),
    path("notices/", notices.notices, name="notices"),
    path("notices/new/", notices.make, name="notice-make"),
    path("notices/<int:pk>/", notices.notice, name="notice"),
    path("notices/<int:pk>/publish/", notices.publish, name="notice-publish"),
    path("notices/<int:pk>/withdraw/", notices.withdraw, name="notice-withdraw"),
    path("objections/<int:pk>/", notices.objection, name="objection"),
    path("objections/<int:pk>/confirm/", notices.confirm, name="objection-confirm"),
    path("ranking/<slug:by>/", group_ranking.ranking, name="ranking-groups"),
    path("commendations/", commendations.latest, name="commendations-latest"),
    path("commendations/<int:year>/", commendations.year, name="commendations"),
    path(
        "commendations/<int:year>/<slug:kind>/threshold/", commendations.threshold, name="threshold"
    ),
    path(
        "commendations/<int:year>/<slug:kind>/candidates/",
        commendations.candidates,
        name="candidates",
    ),
    path("commendations/<int:year>/<slug:kind>/", commendations.granted, name="granted"),
    path(
        "commendations/<int:year>/certificate/print/",
        commendations.certificates,
        name="certificates",
    ),
    path(
        "commendations/lists/<int:pk>/", commendations.commendation_list, name="commendation-list"
    ),
    path("commendations/lists/<int:pk>/decide/", commendations.decide, name="commendation-decide"),
]
