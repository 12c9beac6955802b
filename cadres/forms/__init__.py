from cadres.forms.people import (
    AGE_BANDS,
    PeopleFilter,
    ReclassifyForm,
    RetireeFilter,
    RevealForm,
    filter_in_words,
    people_of,
)

__all__ = [
    "AGE_BANDS",
    "PeopleFilter",
    "ReclassifyForm",
    "RetireeFilter",
    "RevealForm",
    "filter_in_words",
    "people_of",
]
