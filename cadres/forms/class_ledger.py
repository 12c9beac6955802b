"""The filter of the class ledger: the page and its workbook are narrowed by the same boxes."""

from django import forms
from django.utils import timezone

from branches.access import visible_retirees
from branches.models import Branch, Membership, MembershipKind
from cadres.desk import DateInput, FilterForm, select
from cadres.models import ActivityClass, ClassChange, ClassReason, Retiree, Township
from cadres.roles import is_office


class ClassLedgerFilter(FilterForm):
    """Changes of class by date, class, reason, and the person's branch and place."""

    since = forms.DateField(label="生效日期从", required=False, widget=DateInput)
    until = forms.DateField(label="到", required=False, widget=DateInput)
    activity_class = select("调整为", ActivityClass.choices)
    reason_kind = select("原因", ClassReason.choices)
    branch = select("党支部")
    township = select("居住乡镇(街道)")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.offer(
            branch=Branch.objects.values_list("pk", "name"),
            township=Township.objects.values_list("pk", "name"),
        )

    def by_since(self, changes, value):
        return changes.filter(effective_from__gte=value)

    def by_until(self, changes, value):
        return changes.filter(effective_from__lte=value)

    def by_branch(self, changes, value):
        """Whom the branch serves now."""
        served = Membership.objects.on(timezone.localdate()).filter(
            kind=MembershipKind.SERVED, branch=value
        )
        return changes.filter(retiree__in=served.order_by().values("retiree_id"))

    def by_township(self, changes, value):
        return changes.filter(retiree__township=value)


def class_changes_of(filled: dict, user):
    """The changes of a filled filter that a user may see, the latest first."""
    people = visible_retirees(user)
    if filled.get("q"):
        people = people.search(filled["q"], by_number=is_office(user))
    changes = ClassChange.objects.filter(retiree__in=people.order_by().values("pk"))
    return ClassLedgerFilter(filled).filter(changes).order_by("-effective_from", "-pk")


def people_of_ledger(filled: dict, user) -> int:
    """How many people the ledger is about."""
    found = class_changes_of(filled, user).order_by()
    return Retiree.objects.filter(pk__in=found.values("retiree_id")).count()


def ledger_in_words(filled: dict) -> str:
    """The filled filter, and what was searched for, as people read it."""
    said = [ClassLedgerFilter(filled).in_words()]
    if filled.get("q"):
        said.append(f"搜索：{filled['q']}")
    return "；".join(filter(None, said))
