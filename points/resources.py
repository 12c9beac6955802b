"""The rules of the 时间银行 as a workbook, only to be looked at: they change by a new version."""

from cadres.tables import Column, Day, KeyColumn, Number, TableResource, Text, Word, YesNo
from points.models import Direction, Rule


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
