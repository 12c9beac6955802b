"""Units, areas, townships and users as workbooks."""

import re

from django.contrib.auth.models import Group

from cadres.lookup import normal
from cadres.masking import mask_phone
from cadres.models import Area, Community, Nature, Retiree, Township, Unit, UnitLevel, User
from cadres.roles import AT_DESK, Role, fault_of_roles, may_change_account
from cadres.tables import (
    AliasColumn,
    Column,
    FixedColumn,
    KeyColumn,
    Named,
    Names,
    PartsColumn,
    TableResource,
    Text,
    Word,
    YesNo,
)
from cadres.tables.columns import plain

_ELSEWHERE = "新增请在办公桌上登记。"


class UnitResource(TableResource):
    name = KeyColumn("name", "名称", Text(80, is_name=True))
    aliases = AliasColumn(80)
    nature = Column("nature", "性质", Word(Nature.choices, "性质"), is_required=True)
    sector = Column("sector", "行业", Text(20), is_required=True)
    unit_level = Column("unit_level", "层级", Word(UnitLevel.choices, "层级"), is_required=True)
    prefetched = ("aliases",)

    class Meta:
        model = Unit


class AreaResource(TableResource):
    """Only the brand: which areas there are is settled at the desk."""

    name = KeyColumn("name", "名称", Text(40, is_name=True))
    brand = Column("brand", "品牌", Text(60))
    no_new = _ELSEWHERE

    class Meta:
        model = Area


class TownshipResource(TableResource):
    """Only the area: townships and their codes are the state's."""

    name = KeyColumn("name", "名称", Text(40, is_name=True))
    code = FixedColumn("code", "区划代码", Text(12))
    area = Column("area", "片区", Named(Area, "片区"))
    no_new = "请核对名称。"
    related = ("area",)

    class Meta:
        model = Township


class PhoneColumn(Column):
    """Written out with stars; read only when it is a whole number."""

    def __init__(self):
        super().__init__("phone", "手机号", Text(20))

    def export(self, instance, **kwargs) -> str:
        return mask_phone(instance.phone)

    def save(self, instance, row, is_m2m=False, **kwargs):
        text = normal(plain(row[self.column_name]))
        if not text or text == mask_phone(instance.phone):
            return
        if not re.fullmatch(r"1\d{10}", text):
            raise ValueError("手机号是 11 位数字；不改的，这一格留空。")
        instance.phone = text


class RolesColumn(PartsColumn):
    def __init__(self):
        super().__init__("groups", "角色", Names(20))

    def clean(self, row, **kwargs):
        names = super().clean(row, **kwargs)
        for name in names:
            if name not in Role.labels:
                known = "、".join(Role.labels)
                raise ValueError(f"没有“{name}”这个角色，请填：{known}（支部书记由支委任职决定）。")
        return names

    def write_parts(self, instance, names: list[str], by) -> None:
        instance.groups.set(Group.objects.filter(name__in=names))


def place_of(community: Community) -> str:
    """朱衣镇桥湾村: the same village name occurs in several townships."""
    return f"{community.township.name}{community.short_name}"


class UserResource(TableResource):
    """Users without passwords: who is new is given one at the desk, and must change it."""

    username = KeyColumn("username", "用户名", Text(60, is_name=True))
    name = Column("name", "姓名", Text(60), is_required=True)
    phone = PhoneColumn()
    roles = RolesColumn()
    community = Column(
        "community", "所在村(社区)", Named(Community, "村(社区)", place_of, ["township"])
    )
    retiree = FixedColumn("retiree", "老同志本人", Named(Retiree, "老同志"))
    is_active = Column("is_active", "启用", YesNo())
    related = ("community__township", "retiree")
    prefetched = ("groups",)

    class Meta:
        model = User

    def before_import(self, dataset, **kwargs):
        super().before_import(dataset, **kwargs)
        self.phones = dict(User.objects.exclude(phone=None).values_list("phone", "username"))

    def init_instance(self, row=None):
        user = User(must_change_password=True)
        user.set_unusable_password()
        return user

    def after_init_instance(self, instance, new, row, **kwargs):
        super().after_init_instance(instance, new, row, **kwargs)
        self._before = set(self.fields["roles"].get_value(instance))
        self._was_active = instance.is_active

    def faults(self, instance) -> dict[str, str]:
        roles = set(self.fields["roles"].get_value(instance))
        found = {
            "username": self._fault_of_account(instance),
            "groups": fault_of_roles(self.acting, instance, self._before, roles),
            "community": self._fault_of_place(instance, roles),
            "retiree": self._fault_of_person(instance, roles),
            "phone": self._fault_of_phone(instance),
            "is_active": self._fault_of_closing(instance),
        }
        return {attribute: words for attribute, words in found.items() if words}

    def _fault_of_account(self, user: User) -> str:
        if re.fullmatch(r"1\d{10}", user.username):
            return "用户名不能是手机号，请把手机号填在“手机号”一栏。"
        if not may_change_account(self.acting, user, self._before):
            return f"“{user.username}”是负责人或审计的账号，只有负责人能改。"
        return ""

    def _fault_of_place(self, user: User, roles: set[str]) -> str:
        needed = Role.CONTACT.label in roles and not user.community_id
        return f"角色有“{Role.CONTACT.label}”，请填写所在村(社区)。" if needed else ""

    def _fault_of_person(self, user: User, roles: set[str]) -> str:
        needed = Role.RETIREE.label in roles and not user.retiree_id
        return "角色有“老同志”的，要指定是哪一位，请在办公桌上登记。" if needed else ""

    def _fault_of_phone(self, user: User) -> str:
        owner = self.phones.setdefault(user.phone, user.username) if user.phone else ""
        return "这个手机号已经是别的用户的。" if owner and owner != user.username else ""

    def _fault_of_closing(self, user: User) -> str:
        closes = self._was_active and not user.is_active
        return "不能停用自己的账号。" if closes and user.pk == self.acting.pk else ""

    def before_save_instance(self, instance, row, **kwargs):
        """Who has a role at the desk may open it."""
        roles = set(self.fields["roles"].get_value(instance))
        instance.is_staff = instance.is_superuser or bool(roles & set(AT_DESK))
