from django.urls import include, path

from points.views import books, rulings

app_name = "points"
urlpatterns = [
    path("", include("points.redemption_urls")),
    path("", books.mine, name="mine"),
    path("people/<int:pk>/", books.person, name="person"),
    path("ledger/", books.ledger, name="ledger"),
    path("accounts/", books.accounts, name="accounts"),
    path("ranking/", books.ranking, name="ranking"),
    path("figures/", books.figures, name="figures"),
    path("audit/", books.audit, name="audit"),
    path("people/<int:pk>/adjust/", rulings.adjust, name="adjust"),
    path("people/<int:pk>/deduct/", rulings.deduct, name="deduct"),
    path("accounts/<int:pk>/settle/", rulings.settle, name="settle"),
    path("shortfalls/<int:pk>/waive/", rulings.waive, name="waive"),
    path("approvals/", rulings.approvals, name="approvals"),
    path("adjustments/<int:pk>/decide/", rulings.decide_adjustment, name="adjustment-decide"),
    path("settlements/<int:pk>/decide/", rulings.decide_settlement, name="settlement-decide"),
    path("postings/<int:pk>/decide/", rulings.decide_posting, name="posting-decide"),
    path("shortfalls/<int:pk>/decide/", rulings.decide_shortfall, name="shortfall-decide"),
    path("rules/", rulings.rules, name="rules"),
    path("rules/<slug:code>/new/", rulings.rule_new, name="rule-new"),
    path("", include("points.year_end_urls")),
]
