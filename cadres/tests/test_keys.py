"""What stands in an address is read as a key or as nobody's."""

import pytest

from cadres.keys import key_in


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("7", 7),
        ("9" * 18, 10**18 - 1),
        ("9" * 19, 0),
        ("9" * 5000, 0),  # Python itself would refuse to read it
        ("٣", 0),  # a digit, but not one of ours
        ("-1", 0),
        ("1.0", 0),
        (" 1", 0),
        ("x", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_only_a_plain_number_of_a_keys_length_is_one(text, key):
    assert key_in(text) == key
