"""Numbers that stand in an address or in a box of a form."""

#: More digits than any key has; Python refuses to read thousands of them, PostgreSQL more than 19.
DIGITS = 18


def key_in(text: str | None) -> int:
    """The number that a text is; 0, which is nobody's key, for anything else."""
    text = text or ""
    is_key = text.isascii() and text.isdecimal() and len(text) <= DIGITS
    return int(text) if is_key else 0
