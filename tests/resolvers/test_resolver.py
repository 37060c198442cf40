"""What an asker hears, second by second, as measured on the daemons."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.resolvers.known_resolvers import names, resolver
from testbed.resolvers.resolver import Answer, Resolver
from testbed.resolvers.resolver_model import Outcome

QUESTION = ("api.example.com", "A")
OLD, NEW = "127.0.0.2", "127.0.0.3"
SOA = 900.0


class Asker:
    """Asks a resolver, which asks an authority that answers as `says`."""

    def __init__(self, name: str) -> None:
        self.resolver = Resolver(resolver(name))
        self.says = Answer(Outcome.ADDRESSES, (OLD,), 60.0)
        self.upstream = 0

    def ask(self, now: float) -> Answer:
        member = self.resolver.next_member()
        cached = self.resolver.ask(QUESTION, now, member)
        if cached is None:
            return self._learn(now, member)
        if cached.refresh:
            self._learn(now, member)
        return cached.answer

    def _learn(self, now: float, member: int) -> Answer:
        self.upstream += 1
        return self.resolver.learn(QUESTION, now, self.says, member)


def follows(name: str, ttl: float, warm: float, phase: float = 0.3) -> float:
    """Seconds after a flip at 1000 until a question a second sees the new address; first asked at -warm."""
    asker = Asker(name)
    now = 1000.0 - warm + phase
    while True:
        asker.says = Answer(Outcome.ADDRESSES, (OLD if now < 1000 else NEW,), ttl)
        if asker.ask(now).addresses == (NEW,):
            return now - 1000
        now += 1.0


def negative(name: str, *, soa_ttl: float = SOA, minimum: float = SOA) -> float:
    """Seconds after the flip at which the name is seen again, if a gap of 3 s began at the flip."""
    asker = Asker(name)
    now = 1000.3
    while True:
        gone = now < 1003
        asker.says = (
            Answer(Outcome.NO_NAME, soa_ttl=soa_ttl, soa_minimum=minimum)
            if gone
            else Answer(Outcome.ADDRESSES, (OLD,), 60.0)
        )
        if not gone and asker.ask(now).addresses:
            return now - 1000
        if gone:
            asker.ask(now)
        now += 1.0


@pytest.mark.parametrize(
    ("name", "ttl", "warm", "least", "most"),
    [
        ("direct", 60, 10, 0, 1),
        ("unbound", 60, 10, 50, 52),
        ("unbound", 60, 30, 30, 32.5),
        ("unbound", 0, 10, 0, 1),
        ("unbound", 1, 10, 0, 2),
        ("dnsmasq", 60, 10, 50, 51),
        ("dnsmasq", 1, 10, 0, 1.01),
        ("bind", 60, 10, 48.5, 50),
        ("bind", 60, 50, 8.5, 10),
        ("bind", 1, 10, 0, 1.01),
        ("pdns-recursor", 60, 10, 50, 51),
        ("pdns-recursor", 0, 10, 0, 1.01),
        ("knot-resolver", 60, 10, 45, 47.5),
        ("knot-resolver", 60, 30, 25, 27.5),
        ("knot-resolver", 0, 10, 0.5, 2),
        ("systemd-resolved", 60, 10, 50, 51.6),
        ("systemd-resolved", 0, 10, 0, 1),
        ("nscd", 2, 40, 0, 16),
        ("nscd", 60, 10, 50, 66),
        ("ttl-floor:300", 60, 10, 290, 291),
        ("serve-stale:1h", 60, 10, 50, 51),
    ],
)
@pytest.mark.parametrize("phase", [0.1, 0.5, 0.9])
def test_the_new_address_is_seen_when_it_was_measured(name, ttl, warm, least, most, phase):
    assert least <= follows(name, ttl, warm, phase) <= most


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("direct", 3),
        ("unbound", 900),
        ("dnsmasq", 900),
        ("bind", 900),
        ("pdns-recursor", 900),
        ("systemd-resolved", 900),
        ("knot-resolver", 3),
        ("forever", 3),
    ],
)
def test_a_gap_of_three_seconds_is_no_such_name_for_as_long_as_measured(name, kept):
    assert kept <= negative(name) <= kept + 2.1


def test_bind_and_pdns_do_not_look_at_the_minimum():
    assert negative("bind", minimum=1) > 890 < negative("pdns-recursor", minimum=1)
    assert negative("unbound", minimum=1) < 5


def test_forever_never_sees_the_new_address():
    asker = Asker("forever")
    asker.ask(0.0)
    asker.says = Answer(Outcome.ADDRESSES, (NEW,), 60.0)
    assert asker.ask(1e9).addresses == (OLD,)
    assert asker.upstream == 1


def test_a_silent_authority_is_servfail_at_pdns_for_a_minute_from_its_start():
    asker = Asker("pdns-recursor")
    asker.says = Answer(Outcome.SILENCE)
    assert asker.ask(0.0).outcome is Outcome.FAILURE
    asker.says = Answer(Outcome.ADDRESSES, (OLD,), 60.0)
    assert asker.ask(59.0).outcome is Outcome.FAILURE
    assert asker.ask(60.0).addresses == (OLD,)


def test_a_silent_authority_is_silence_at_dnsmasq_and_the_next_question_is_answered():
    asker = Asker("dnsmasq")
    asker.says = Answer(Outcome.SILENCE)
    assert asker.ask(0.0).outcome is Outcome.SILENCE
    asker.says = Answer(Outcome.ADDRESSES, (OLD,), 60.0)
    assert asker.ask(1.0).addresses == (OLD,)


def test_serve_stale_gives_the_old_answer_for_an_hour_of_silence():
    asker = Asker("serve-stale:1h")
    asker.ask(0.0)
    asker.says = Answer(Outcome.SILENCE)
    assert asker.ask(61.0).addresses == (OLD,)
    assert asker.ask(60.0 + 3599.0).addresses == (OLD,)
    assert asker.ask(60.0 + 3601.0).outcome is Outcome.FAILURE


def test_serve_stale_does_not_keep_a_name_that_is_gone():
    asker = Asker("serve-stale:1h")
    asker.ask(0.0)
    asker.says = Answer(Outcome.NO_NAME, soa_ttl=SOA, soa_minimum=SOA)
    assert asker.ask(61.0).outcome is Outcome.NO_NAME


def test_a_fleet_answers_old_and_new_in_turn():
    asker = Asker("dnsmasq*2")
    asker.ask(0.0)
    asker.says = Answer(Outcome.ADDRESSES, (NEW,), 60.0)
    assert [asker.ask(1.0).addresses for _ in range(4)] == [(NEW,), (OLD,), (NEW,), (OLD,)]


def test_what_is_left_of_a_ttl_is_shown():
    asker = Asker("unbound")
    asker.ask(1000.0)
    assert asker.ask(1010.5).ttl == pytest.approx(50.5)
    assert asker.ask(1060.5).ttl == pytest.approx(0.5)


said = st.one_of(
    st.builds(
        lambda hosts, ttl: Answer(Outcome.ADDRESSES, tuple(f"127.0.0.{host}" for host in hosts), float(ttl)),
        st.lists(st.integers(2, 9), min_size=1, max_size=3, unique=True),
        st.integers(0, 400),
    ),
    st.builds(
        lambda ttl, minimum: Answer(Outcome.NO_NAME, soa_ttl=float(ttl), soa_minimum=float(minimum)),
        st.integers(0, 1000),
        st.integers(0, 1000),
    ),
    st.sampled_from(
        [Answer(Outcome.SILENCE), Answer(Outcome.FAILURE), Answer(Outcome.NO_DATA, soa_ttl=9, soa_minimum=9)]
    ),
)
timeline = st.lists(st.tuples(st.floats(0.0, 500.0), said), min_size=1, max_size=30)
every_resolver = st.sampled_from([*names(), "bind*3", "nscd*2"])


@given(every_resolver, timeline)
def test_no_address_is_given_that_the_authority_never_gave(name, story):
    asker, now, given_so_far = Asker(name), 1000.0, set()
    for pause, asker.says in story:
        now += pause
        before = asker.upstream
        answer = asker.ask(now)
        if asker.upstream > before:
            given_so_far |= set(asker.says.addresses)
        assert set(answer.addresses) <= given_so_far


@given(timeline)
def test_direct_says_what_the_authority_says(story):
    asker, now = Asker("direct"), 0.0
    for pause, asker.says in story:
        now += pause
        heard = asker.ask(now)
        assert heard == asker.says or not asker.says.outcome.is_answer


@given(timeline, st.integers(1, 600))
def test_a_floor_never_asks_twice_within_it_for_an_address(story, floor):
    asker, now, known_until = Asker(f"ttl-floor:{floor}"), 0.0, 0.0
    for pause, asker.says in story:
        now += pause
        before = asker.upstream
        asker.ask(now)
        assert asker.upstream == before or now >= known_until
        if asker.upstream > before:
            known_until = now + floor if asker.says.addresses else 0.0


@given(st.sampled_from(["unbound", "dnsmasq", "bind", "pdns-recursor", "systemd-resolved"]), timeline)
def test_an_address_is_not_given_for_more_than_a_second_after_its_ttl(name, story):
    asker, now, ends = Asker(name), 1000.0, {}
    for pause, asker.says in story:
        now += pause
        before = asker.upstream
        answer = asker.ask(now)
        if asker.upstream > before:
            ends |= dict.fromkeys(asker.says.addresses, now + max(1.0, asker.says.ttl) + 1.0)
        assert all(now <= ends[address] for address in answer.addresses)
