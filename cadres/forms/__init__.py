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
    ReclassifyForm,
    RetireeFilter,
    RevealForm,
    filter_in_words,
    people_of,
)

__all__ = [
    "AGE_BANDS",
    "BirthdayFilter",
    "CareFilter",
    "CareForManyForm",
    "CareForm",
    "ReclassifyForm",
    "RetireeFilter",
    "RevealForm",
    "VisitFilter",
    "VoidForm",
    "care_filter_in_words",
    "care_of",
    "filter_in_words",
    "people_of",
    "people_of_care",
]
