"""The filter of the list of branches, at the desk and on its own page."""

from cadres.desk import FilterForm, select
from cadres.models import Area, Township


class BranchFilter(FilterForm):
    area = select("片区")
    township = select("所在乡镇(街道)")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.offer(
            area=Area.objects.values_list("pk", "name"),
            township=Township.objects.values_list("pk", "name"),
        )
