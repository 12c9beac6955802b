from django.conf import settings


def office(request) -> dict:
    """What every page shows: the office's phone, and whether this is the demo county."""
    return {"office_phone": settings.OFFICE_PHONE, "is_demo": settings.DEMO}
