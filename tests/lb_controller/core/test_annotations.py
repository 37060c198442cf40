from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.lb_controller.core.annotations import Annotations
from testbed.lb_controller.core.build_inputs import BuildError

KEY = "alb.ingress.kubernetes.io/tags"
TEXT = st.text(alphabet="ab=,\\ c/", max_size=8)


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(",", "\\,")


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("a=1,b=2", {"a": "1", "b": "2"}),
        (" a = 1 , b = ", {"a": "1", "b": ""}),
        (r"a=1\,2, b=3", {"a": "1,2", "b": "3"}),
        ("a=b=c", {"a": "b=c"}),
        ("", {}),
        ("a=1,", {"a": "1,"}),
    ],
)
def test_mappings_split_at_commas_before_a_further_pair(raw: str, value: dict[str, str]) -> None:
    assert Annotations({KEY: raw}).mapping("tags") == value


@pytest.mark.parametrize("raw", ["a", "=1", "a=1, b", "a,b=1"])
def test_a_mapping_with_an_entry_that_is_no_pair_is_refused(raw: str) -> None:
    with pytest.raises(BuildError) as raised:
        Annotations({KEY: raw}).mapping("tags")
    assert str(raised.value) == f"failed to parse stringMap annotation, {KEY}: {raw}"


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), TEXT.map(str.strip), min_size=1))
def test_an_escaped_mapping_is_read_back(value: dict[str, str]) -> None:
    raw = ",".join(f"{key}={escaped(item)}" for key, item in value.items())

    assert Annotations({KEY: raw}).mapping("tags") == value


@given(st.text(max_size=20))
def test_any_text_is_a_mapping_or_a_build_error(raw: str) -> None:
    try:
        found = Annotations({KEY: raw}).mapping("tags")
    except BuildError:
        return
    assert found is not None
    assert all(found)


def test_an_absent_annotation_is_reported_from_an_empty_one() -> None:
    annotations = Annotations({KEY: ""})

    assert annotations.items("tags") == []
    assert annotations.items("other") is None
    assert annotations.mapping("other") is None


def test_numbers_are_refused_with_the_text_of_the_controller() -> None:
    with pytest.raises(BuildError) as raised:
        Annotations({KEY: "x"}).integer("tags", bits=32)
    assert str(raised.value) == (
        f'failed to parse int32 annotation, {KEY}: x: strconv.ParseInt: parsing "x": invalid syntax'
    )


def test_the_stronger_annotations_win_when_merged() -> None:
    merged = Annotations({KEY: "strong"}).over({KEY: "weak", "alb.ingress.kubernetes.io/scheme": "internal"})

    assert (merged.text("tags"), merged.text("scheme")) == ("strong", "internal")
