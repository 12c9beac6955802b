from cadres.forms.people import (
    AGE_BANDS,
    UNCLASSED,
    PeopleFilter,
    ReclassifyForm,
    RetireeFilter,
    RevealForm,
    filter_in_words,
    people_of,
)
from cadres.forms.units import UnitFilter

__all__ = [
    "AGE_BANDS",
    "UNCLASSED",
    "PeopleFilter",
    "ReclassifyForm",
    "RetireeFilter",
    "RevealForm",
    "UnitFilter",
    "filter_in_words",
    "people_of",
]
