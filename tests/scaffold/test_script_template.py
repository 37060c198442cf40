from __future__ import annotations

import string

import pytest

from testbed.scaffold import script_template as template

TEXTS = {name: text for name, text in vars(template).items() if name.isupper() and isinstance(text, str)}


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_each_place_of_a_text_has_a_plain_name(name: str) -> None:
    if name == "TRAFFIC":
        return  # it is written as it is, with the places of a user's command
    for _, field, _, _ in string.Formatter().parse(TEXTS[name]):
        assert field is None or field.isidentifier()
