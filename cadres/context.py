from django.conf import settings

#: Class on <html> → what its button says. The sheet is static/site/elder.css.
TEXT_SIZES = {"": "标准字", "size-24": "大字", "size-30": "特大字"}


def office(request) -> dict:
    """What every page shows: the office's phone, and the size of text this person has chosen."""
    size = request.COOKIES.get("text_size", "")
    return {
        "office_phone": settings.OFFICE_PHONE,
        "text_size": size if size in TEXT_SIZES else "",
        "text_sizes": TEXT_SIZES.items(),
    }
