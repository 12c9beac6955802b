"""Rules and rewards as workbooks; rules only to be looked at: they change by a new version."""

from cadres.tables import (
    Column,
    Count,
    Day,
    KeyColumn,
    Money,
    Number,
    TableResource,
    Text,
    Word,
    YesNo,
)
from points.models import Direction, Reward, RewardKind, Rule


class RuleResource(TableResource):
    name = KeyColumn("name", "名称", Text(80))
    direction = Column("direction", "方向", Word(Direction.choices, "方向"))
    points = Column("points", "分值", Number())
    per = Column("per", "计量单位", Text(4))
    cap_per_cycle = Column("cap_per_cycle", "年度上限", Number())
    verified_by = Column("verified_by", "审核人", Text(40))
    valid_from = Column("valid_from", "起用日期", Day())
    is_enabled = Column("is_enabled", "启用", YesNo())

    class Meta:
        model = Rule


class RewardResource(TableResource):
    name = KeyColumn("name", "名称", Text(40, is_name=True))
    kind = Column("kind", "种类", Word(RewardKind.choices, "种类"))
    points = Column("points", "积分", Count(9999, "积分"), is_required=True)
    value = Column("value", "单价（元）", Money())
    is_offered = Column("is_offered", "可以兑换", YesNo())

    class Meta:
        model = Reward
