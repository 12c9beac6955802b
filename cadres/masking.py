"""How personal numbers are shown by default, and the keyed digests the history keeps instead."""

import functools
import hashlib
import hmac
import re

from django.conf import settings


def mask_phone(value: str) -> str:
    """`138****5678`; a short or odd number shows only its last two characters."""
    if not value:
        return ""
    return f"{value[:3]}****{value[-4:]}" if len(value) >= 11 else f"****{value[-2:]}"


def mask_id_number(value: str | None) -> str:
    """At most the first four characters: more, beside a birth date, gives the number away."""
    return f"{value[:4]}**************" if value else ""


def mask_numbers(text: str) -> str:
    """A text with every run of eleven or more digits masked: a number in the wrong column."""
    return re.sub(r"\d{11,}[Xx]?", lambda found: found[0][:3] + "****", text)


@functools.lru_cache(maxsize=1)
def _key() -> bytes:
    return hashlib.sha256(b"digest:" + settings.DIGEST_KEY.encode()).digest()


def digest(value: str | None) -> str:
    """A keyed digest (32 hex characters): tells only whether a value changed; empty for none."""
    if not value:
        return ""
    return hmac.digest(_key(), value.encode(), "sha256").hex()[:32]
