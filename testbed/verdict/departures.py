"""When a balancer that the name left may go: no connection, no name and no cached answer leads to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from testbed import journal
from testbed.balancer_identity import phrase
from testbed.settings import PRODUCTION
from testbed.verdict.balancer_use import BalancerUse
from testbed.verdict.balancers import Balancers, begin
from testbed.verdict.client_leavings import Leaving, listed, who_would_stay
from testbed.verdict.drains import ClientConnection, last_closed
from testbed.verdict.history import AliasChange, History
from testbed.verdict.moment import Moment, MomentKind


def departure(
    balancer: str,
    changes: Sequence[AliasChange],
    used: BalancerUse,
    spans: Sequence[ClientConnection],
    history: History,
    balancers: Balancers,
    left_by: Sequence[Leaving] = (),
) -> Moment:
    """Find when nothing needs a balancer any more, or say what still needs it.

    Every name counts here, not only the one that the clients call. `left_by` is how the clients left it.
    """

    def not_yet(why: str) -> Moment:
        return Moment(MomentKind.MAY_GO, None, f"{begin(balancer)} may not go yet: {why}", balancer)

    last = {change.name: change for change in changes}
    still = sorted(change.name for change in last.values() if change.balancer == balancer)
    if still:
        return not_yet(f"{', '.join(still)} {'points' if len(still) == 1 else 'point'} to it")
    left_it = list(_left_at(balancer, changes))
    if not left_it:
        other = [name for name in balancers.by_name if name != balancer]
        return not_yet(f"no name was moved {f'to {phrase(other[0])}' if len(other) == 1 else 'away from it'}")
    # A resolver may have asked a server of Route 53 just before the change reached it, and caches for a TTL.
    expired = max(left_it) + (PRODUCTION.alias_ttl + PRODUCTION.route53_propagation) / history.speed
    if expired > history.end:
        return not_yet("cached answers may still lead to it")
    left = sum(span.balancer == balancer and span.closed is None for span in spans)
    if left:
        still_open = f"{left} {'connection is' if left == 1 else 'connections are'} still open on it"
        return not_yet(still_open + _of_whom(left_by))
    if clients := used.stranded.get(balancer):
        models = sorted({journal.client_model(client) for client in clients})
        many = f"{len(clients)} client{'' if len(clients) == 1 else 's'}"
        return not_yet(f"the last answers to {many} of {listed(models)} came from it, and then only errors")
    ends = [expired, used.last.get(balancer, expired), *filter(None, [last_closed(spans, balancer)])]
    ends += [use.last for key, use in used.uses.items() if key[3] == balancer]
    after = max(ends)
    # Without reports of connections, only silence shows that none is left: one TTL of it. So where a client
    # still connects when no cached answer leads to it, and may hold its address for good.
    connects = any(span.balancer == balancer and span.opened > expired for span in spans)
    if (connects or not spans) and after + PRODUCTION.alias_ttl / history.speed > history.end:
        return not_yet("requests still went through it at the end")
    text = f"{begin(balancer)} may go: no connection, name or cached answer leads to it{_last(left_by)}"
    return Moment(MomentKind.MAY_GO, after, text, balancer)


def _of_whom(left_by: Sequence[Leaving]) -> str:
    who = ", ".join(f"{one.left} of {one.model}" for one in left_by if one.left)
    never = [one.model for one in left_by if one.left and not one.follows]
    if not who:
        return ""
    return f" ({who})" + (f"; {listed(never)} never look the name up while it lives" if never else "")


def _last(left_by: Sequence[Leaving]) -> str:
    ended = [(one.last, one.model) for one in left_by if one.last is not None]
    if not ended:
        return ""
    text = f"; the last to leave was {max(ended)[1]}"
    if prompted := who_would_stay(left_by):
        text += f", and {listed(prompted)} left only because something ended their connections"
    return text


def _left_at(balancer: str, changes: Sequence[AliasChange]) -> Iterator[float]:
    """Yield when a name ceased to point to a balancer, and when it pointed to another after that."""
    at: dict[str, str] = {}
    for change in changes:
        if at.get(change.name) == balancer and change.balancer != balancer:
            yield change.time
        if change.balancer is not None:
            at[change.name] = change.balancer
