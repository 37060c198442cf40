from __future__ import annotations

import pytest

from testbed.lb_controller.core.facts import Fact
from testbed.lb_controller.offline.fact_sentences import sentence_of


@pytest.mark.parametrize("fact", Fact, ids=lambda fact: fact.name)
def test_each_fact_says_what_the_controller_does_with_it_and_without(fact: Fact) -> None:
    sentence = sentence_of(fact)
    assert sentence, "write it in fact_sentences.py"
    holds, otherwise = sentence
    assert holds != otherwise
    assert not {holds[-1], otherwise[-1]} & {".", ";"}, "it is part of a sentence"
    assert fact.name.lower().replace("_", " ") not in (holds, otherwise)


def test_a_field_of_class_parameters_counts_or_does_not() -> None:
    assert sentence_of(Fact.CLASS_TARGET_TYPE) == (
        "targetType of IngressClassParams counts",
        "it does not count",
    )
    assert sentence_of(Fact.CLASS_PREFIX_LISTS).holds.startswith("prefixListsIDs of ")
