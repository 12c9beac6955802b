"""Branches as workbooks."""

from branches.models import Branch
from cadres.models import Area, Township
from cadres.tables import AliasColumn, Column, Day, KeyColumn, Named, TableResource, Text


class BranchResource(TableResource):
    name = KeyColumn("name", "名称", Text(80, is_name=True))
    aliases = AliasColumn(80)
    area = Column("area", "片区", Named(Area, "片区"), is_required=True)
    township = Column("township", "所在乡镇(街道)", Named(Township, "乡镇(街道)"))
    founded_on = Column("founded_on", "成立日期", Day())
    brand = Column("brand", "特色", Text(60))
    related = ("area", "township")
    prefetched = ("aliases",)

    class Meta:
        model = Branch
