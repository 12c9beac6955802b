from cadres.forms.care import (
    BirthdayFilter,
    CareFilter,
    CareForm,
    CareForManyForm,
    VisitFilter,
    VoidForm,
    care_filter_in_words,
    care_of,
    people_of_care,
)
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
    "BirthdayFilter",
    "CareFilter",
    "CareForManyForm",
    "CareForm",
    "PeopleFilter",
    "ReclassifyForm",
    "RetireeFilter",
    "RevealForm",
    "UnitFilter",
    "VisitFilter",
    "VoidForm",
    "care_filter_in_words",
    "care_of",
    "filter_in_words",
    "people_of",
    "people_of_care",
]
