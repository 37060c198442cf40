from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.balancer_identity import BalancerIdentity, BalancerNames, owner_of, phrase, title
from testbed.errors import BadInput

SERVICE, WEB, GROUP = "service/shop/envoy", "ingress/shop/web", "ingress-group/shop"


def balancer(number: int, type: str, owner: str = "", scheme: str = "internet-facing") -> BalancerIdentity:  # noqa: A002
    return BalancerIdentity(f"b{number}.elb.example.com", type, scheme, owner)  # type: ignore[arg-type]


def names(*balancers: BalancerIdentity) -> BalancerNames:
    return BalancerNames(balancers)


@pytest.mark.parametrize(
    ("tags", "owner"),
    [
        ({"service.k8s.aws/stack": "shop/envoy", "service.k8s.aws/resource": "LoadBalancer"}, SERVICE),
        ({"kubernetes.io/service-name": "shop/envoy", "kubernetes.io/cluster/testbed": "owned"}, SERVICE),
        ({"ingress.k8s.aws/stack": "shop/web"}, WEB),
        ({"ingress.k8s.aws/stack": "shop"}, GROUP),
        ({"testbed/owner": WEB}, WEB),
        ({"team": "shop"}, ""),
        ({"gateway.k8s.aws.alb/stack": "shop/edge"}, "gateway/shop/edge"),
        ({"gateway.k8s.aws.nlb/stack": "shop/edge"}, "gateway/shop/edge"),
    ],
)
def test_the_owner_is_read_from_the_tags_of_the_controllers(tags: dict[str, str], owner: str) -> None:
    assert owner_of(tags) == owner


def test_the_only_balancer_of_a_type_has_a_short_name() -> None:
    nlb, alb = balancer(1, "nlb", SERVICE), balancer(2, "alb", GROUP)
    assert list(names(nlb, alb).by_name) == ["nlb", "alb"]


def test_two_of_a_type_are_named_by_their_owners_and_one_without_owner_by_its_dns_name() -> None:
    three = names(balancer(1, "alb", WEB), balancer(2, "alb", GROUP), balancer(3, "alb"))
    assert list(three.by_name) == [WEB, GROUP, "b3.elb.example.com"]


def test_what_an_object_makes_anew_is_another_balancer_and_both_have_a_number() -> None:
    twice = names(balancer(1, "alb", WEB, "internal"), balancer(2, "alb", WEB))
    assert list(twice.by_name) == [f"{WEB} (1)", f"{WEB} (2)"]
    assert twice.resolve(f"{WEB} (2)") == (twice.balancers[1],)
    assert twice.resolve(WEB) == twice.resolve("alb") == twice.balancers


def test_a_given_name_comes_first_and_the_other_names_still_work() -> None:
    nlb, other = balancer(1, "nlb", SERVICE), balancer(2, "nlb", "service/shop/new")
    both = names(nlb, other).with_name("old", SERVICE)
    assert list(both.by_name) == ["old", "service/shop/new"]
    assert both.resolve("old") == both.resolve(SERVICE) == both.resolve(nlb.dns_name) == (nlb,)


def test_a_name_may_be_given_before_the_balancer_exists() -> None:
    given_early = BalancerNames().with_name("new", f"{WEB} (2)")
    assert given_early.resolve("new") == ()
    first, second = balancer(1, "alb", WEB, "internal"), balancer(2, "alb", WEB)
    later = given_early.with_balancer(first).with_balancer(second)
    assert later.resolve("new") == (second,)
    assert list(later.by_name) == [f"{WEB} (1)", "new"]


def test_a_name_given_to_an_object_stands_for_the_first_that_it_makes() -> None:
    twice = names(balancer(1, "alb", WEB), balancer(2, "alb", WEB)).with_name("web", WEB)
    assert list(twice.by_name) == ["web", f"{WEB} (2)"]
    assert twice.resolve("web") == twice.balancers[:1]
    assert twice.resolve(WEB) == twice.balancers


def test_a_short_name_of_two_owners_is_refused_with_the_names_to_choose_from() -> None:
    both = names(balancer(1, "nlb", SERVICE), balancer(2, "nlb", "service/shop/new"))
    with pytest.raises(BadInput) as caught:
        both.resolve("nlb")
    assert str(caught.value).startswith("'nlb' is ambiguous: the run has 2 NLBs")
    assert "service/shop/envoy or service/shop/new" in str(caught.value)
    assert both.resolve("alb") == ()


def test_a_name_that_means_nothing_is_refused_with_the_names_to_choose_from() -> None:
    with pytest.raises(BadInput, match=re.escape("no balancer has the name 'nbl'")) as caught:
        names(balancer(1, "nlb", SERVICE), balancer(2, "alb", GROUP)).resolve("nbl")
    assert "nlb or alb" in str(caught.value)


def test_an_owner_or_dns_name_that_has_not_appeared_means_no_balancer_yet() -> None:
    assert BalancerNames().resolve(SERVICE) == ()
    assert BalancerNames().resolve("b9.elb.example.com") == ()


def test_an_owner_without_namespace_is_in_the_default_one() -> None:
    nlb = balancer(1, "nlb", "service/default/envoy")
    assert names(nlb).resolve("service/envoy") == (nlb,)
    assert names(nlb).with_name("old", "service/envoy").given == {"old": "service/default/envoy"}


def test_a_dns_name_is_compared_as_an_alias_may_write_it() -> None:
    nlb = balancer(1, "nlb")
    assert names(nlb).get("dualstack.B1.elb.example.com.") == nlb


@pytest.mark.parametrize("name", ["nlb", "none", "unknown", "a.b", "Old", "", "service/x"])
def test_a_name_that_could_be_mistaken_cannot_be_given(name: str) -> None:
    with pytest.raises(BadInput, match="cannot be the name of a balancer"):
        BalancerNames().with_name(name, SERVICE)


def test_a_name_is_given_once() -> None:
    once = BalancerNames().with_name("old", SERVICE)
    assert once.with_name("old", SERVICE) == once
    with pytest.raises(BadInput, match="'old' is the name of service/shop/envoy already"):
        once.with_name("old", WEB)


def test_a_name_is_not_given_to_what_cannot_exist() -> None:
    with pytest.raises(BadInput, match="no balancer has the name 'envoy'"):
        BalancerNames().with_name("old", "envoy")


def test_short_names_are_words_in_a_text() -> None:
    assert (title("nlb"), phrase("alb"), title("old"), phrase(SERVICE)) == ("NLB", "the ALB", "old", SERVICE)


owners = st.sampled_from(["", SERVICE, WEB, GROUP])
types = st.sampled_from(["nlb", "alb"])


@given(st.lists(st.tuples(types, owners), max_size=6), st.sampled_from(["", SERVICE, f"{WEB} (2)", "alb"]))
def test_every_balancer_has_a_name_of_its_own_that_resolves_to_it(
    made: list[tuple[str, str]], named: str
) -> None:
    all_of_them = names(*(balancer(number, kind, owner) for number, (kind, owner) in enumerate(made)))
    if named:
        all_of_them = all_of_them.with_name("old", named)
    assert len(all_of_them.by_name) == len(made)
    for name, one in all_of_them.by_name.items():
        assert all_of_them.resolve(name) == (one,)
