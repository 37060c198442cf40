from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from testbed.lb_controller.offline.rule_requests import HOST, PATH, Requests

_LETTERS = st.text("ab/.", max_size=4)


def requests(host: str = "", path: str = "") -> Requests:
    return Requests(tuple((field, (value,)) for field, value in ((HOST, host), (PATH, path)) if value))


def test_conditions_are_read_from_the_parameters_of_a_call() -> None:
    place = "Conditions.member"
    read = Requests.of(
        {
            f"{place}.1.Field": "path-pattern",
            f"{place}.1.PathPatternConfig.Values.member.1": "/a",
            f"{place}.1.PathPatternConfig.Values.member.2": "/a/*",
            f"{place}.2.Field": "host-header",
            f"{place}.2.HostHeaderConfig.Values.member.1": "shop.example.com",
            f"{place}.3.Field": "http-header",
            f"{place}.3.HttpHeaderConfig.HttpHeaderName": "version",
            f"{place}.3.HttpHeaderConfig.Values.member.1": "2",
            "Actions.member.1.Type": "forward",
        }
    )
    assert str(read) == "shop.example.com and http-header version 2 and /a or /a/*"
    assert Requests.of({"Actions.member.1.Type": "forward"}) is None


def test_other_hosts_and_other_paths_never_meet_and_a_wildcard_may() -> None:
    assert not requests("one.example.com", "/*").may_meet(requests("two.example.com", "/*"))
    assert requests("ONE.example.com").may_meet(requests("one.example.com"))
    assert requests("*.example.com", "/a/*").may_meet(requests("two.example.com", "/*"))
    assert not requests(path="/a").may_meet(requests(path="/a/*"))
    assert not requests(path="/a/*").may_meet(requests(path="/b/*"))
    assert requests("one.example.com").may_meet(requests(path="/a"))


def test_a_regular_expression_may_match_anything() -> None:
    place = "Conditions.member.1"
    by_expression = Requests.of(
        {f"{place}.Field": "path-pattern", f"{place}.PathPatternConfig.RegexValues.member.1": "^/v[0-9]"}
    )
    assert by_expression
    assert by_expression.may_meet(requests(path="/a"))


@given(_LETTERS, _LETTERS, _LETTERS)
def test_a_path_that_two_patterns_match_keeps_them_from_being_apart(start: str, more: str, end: str) -> None:
    path = f"/{start}{more}{end}"
    for pattern in (f"/{start}*", f"/{start}{'?' * len(more)}{end}", path, f"/*{end}"):
        assert requests(path=pattern).may_meet(requests(path=path))
        assert requests(path=pattern).may_meet(requests(path=f"/{start}*{end}"))
