"""The filter of the list of units, at the desk and on its own page."""

from cadres.desk import FilterForm, select
from cadres.models import Nature, Unit, UnitLevel


class UnitFilter(FilterForm):
    nature = select("性质", Nature.choices)
    sector = select("行业")
    unit_level = select("层级", UnitLevel.choices)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        found = Unit.objects.order_by("sector").values_list("sector", "sector").distinct()
        self.offer(sector=found)
