"""Somebody with a browser, and every path that there is to ask for."""

import re

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.test import Client

from branches.models import ImportBatch
from cadres.models import Retiree, User
from fengjie_cadres.tests.addresses import Address
from fengjie_cadres.tests.county import CONTACT, County

#: The key of no row at all.
NOWHERE = 99_999_999


class Visitor:
    """Somebody with a browser, who is still logged in after logging out."""

    def __init__(self, user):
        self.client = Client(raise_request_exception=False)
        if user:
            self.client.force_login(user)
        self.cookies = self.client.cookies.copy()

    def send(self, method: str, path: str, body: dict | None = None, keeps: bool = True):
        """`keeps`: what the request does is left in the database."""
        self.client.cookies = self.cookies.copy()
        send = getattr(self.client, method.lower())
        sent = {"data": body} if method == "POST" and body is not None else {}
        if keeps:
            return send(path, **sent)
        with transaction.atomic():
            response = send(path, **sent)
            transaction.set_rollback(True)
        return response


# ---- what is walked ----------------------------------------------------------------------------


def objects(county: County, page, role: str) -> list[tuple[int, bool]]:
    """(key, whether the role may see it): the own object, somebody else's, and none at all."""
    found = [(county.own[page.of, "foreign"].pk, role in page.all_of_them), (NOWHERE, False)]
    own = county.own.get((page.of, role))
    return [(own.pk, True), *found] if own else found


def filled(county: County, address: Address, page, role: str) -> list[tuple[str, bool]]:
    """(path, whether the role may see the object in it) of everything that is asked for."""
    if page.of:
        return [(address.filled(pk=pk), seen) for pk, seen in objects(county, page, role)]
    arguments = {name: argument(county, address, name) for name in address.arguments}
    return [(address.filled(**arguments) + QUERIES.get(address.name, ""), True)]


QUERIES = {
    "admin:autocomplete": "?app_label=branches&model_name=membership&field_name=retiree&term=a"
}


def argument(county: County, address: Address, name: str):
    """A value of an argument that is no key of a person's own things."""
    if name in ("object_id", "id") and "/r/" not in address.route:
        app, model = re.match(r"admin/(\w+)/(\w+)/", address.route).groups()
        return desk_object(county, app, model).pk
    return {
        "kind": "certificate" if "points/" in address.route else "roster",
        "code": "study_meeting",
        "year": 2025,
        "by": "branches",
        "app_label": "cadres",
        "url": "cadres/nothing/",
        "content_type_id": ContentType.objects.get_for_model(Retiree).pk,
        "object_id": county.person_b.pk,
    }[name]


def desk_object(county: County, app: str, model: str):
    found = ContentType.objects.get(app_label=app, model=model).model_class()
    special = {Retiree: county.person_b, User: county.users[CONTACT]}
    special[ImportBatch] = county.papers[ImportBatch]
    return special.get(found) or found._default_manager.order_by("pk").first()
