"""A forecast in words, 80 columns wide, and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from testbed.forecast.drain_forecast import Drain, PartOfDrain, why_never
from testbed.forecast.forecasting import Forecast
from testbed.resolvers.known_resolvers import DIRECT

_WIDTH = 80
_MINUTE, _HOUR, _THOUSAND = 60, 3600, 1000
_HALF = 0.5
CURVE = (0, 1, 2, 3, 5, 10, 30, 60, 240, 1440)
"""Minutes at which the text says how many connections are left."""
LISTED = 120
"""Minutes that the JSON lists."""


def lines(found: Forecast) -> list[str]:
    """Return the forecast as lines of at most 80 columns."""
    return [line for text in _texts(found) for line in (_wrapped(text) if text else [""])]


def one_line(drain: Drain) -> str:
    """Return the drain in one sentence."""
    if drain.never >= _HALF:
        names = ", ".join(dict.fromkeys(one.part.model.name for one in drain.parts if one.never >= _HALF))
        all_of_them = number(sum(part.clients for part in drain.parts))
        return f"{number(drain.never)} of {all_of_them} clients never leave by themselves ({names})"
    if drain.last is None:
        return f"{number(drain.left)} connections are left at the end of the forecast"
    half, most = drain.left_by(0.5), drain.left_by(0.01)
    return f"half leave within {time(half)}, 99 % within {time(most)}, the last after {time(drain.last)}"


def _texts(found: Forecast) -> Iterator[str]:
    drain, ramp, assumed = found.drain, found.ramp, found.assumed
    limit = (
        "no connection age" if assumed.connection_age is None else f"an age of {assumed.connection_age:g} s"
    )
    yield f"{number(found.clients)} clients: {found.population.text}"
    if found.population.note:
        yield f"{found.population.note}."
    yield (
        f"Assumed: {limit} at the old targets, TTL {assumed.ttl:g} s, a request every {assumed.every:g} s, "
        f"{number(assumed.bytes_per_request)} bytes each, {assumed.rules} rules."
    )
    yield ""
    yield f"The old balancer: {one_line(drain)}."
    for part in drain.parts:
        yield f"  {_part(part)}"
    yield f"  connections left after {'; '.join(_curve(drain))}"
    if any(part.part.model.extrapolated for part in drain.parts):
        yield "  * partly extrapolated: see `testbed clients`"
    yield ""
    second, peak = ramp.peak
    if peak < 1 / _HOUR:
        yield "The new balancer: no client comes by itself."
        return
    yield (
        f"The new balancer: at most {number(peak)} new connections and TLS handshakes a second, after "
        f"{time(second)}."
    )
    minute, units, most = *ramp.peak_units, ramp.most_units
    yield (
        f"  at most {number(units.needed)} capacity units, for {units.greatest}, after "
        f"{time(minute * _MINUTE)} (new connections {number(most.new_connections)}, active "
        f"{number(most.active_connections)}, bytes {number(most.bytes)}, rule evaluations "
        f"{number(most.rule_evaluations)})"
    )
    yield f"  {advice(found)}"


def _curve(drain: Drain) -> Iterator[str]:
    before = None
    for minute in CURVE:
        if minute * _MINUTE >= len(drain.connections) or before == drain.left:
            return
        before = drain.connections[minute * _MINUTE]
        yield f"{time(minute * _MINUTE)}: {number(before)}"


def advice(found: Forecast) -> str:
    """Return whether capacity should be reserved before the move, and how."""
    units = found.reservation
    if units is None:
        return "no capacity has to be reserved: less than the smallest reservation, or it grows slowly"
    return (
        f"reserve {units} capacity units before the move, as the load more than doubles within 5 minutes: "
        f'alb.ingress.kubernetes.io/minimum-load-balancer-capacity: "CapacityUnits={units}"'
    )


def _part(part: PartOfDrain) -> str:
    model, leaving = part.part.model, part.leaving
    through = "" if part.part.resolver == DIRECT else f" ({part.part.resolver})"
    mark = " *" if model.extrapolated else ""
    head = f"{number(part.clients)} {model.name}{through}{mark}"
    if not leaving.slices:
        return f"{head}: never leave: {leaving.cause}; {why_never(part)}"
    assert leaving.last is not None
    lingers = f", connections open for {leaving.lingers:g} s more" if leaving.lingers else ""
    return f"{head}: gone after {time(leaving.last)}{lingers}: {leaving.cause}"


def number(value: float) -> str:
    """Return a number for a person: three digits below a thousand, thousands apart above."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def time(seconds: float | None) -> str:
    """Return a duration for a person."""
    if seconds is None:
        return "the end of the forecast"
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.1f} min".replace(".0 ", " ")
    return f"{seconds / _HOUR:.1f} h".replace(".0 ", " ")


def _wrapped(text: str) -> list[str]:
    indent = text[: len(text) - len(text.lstrip())]
    return textwrap.wrap(
        text.strip(),
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_on_hyphens=False,
        break_long_words=False,
    )


def as_json(found: Forecast) -> dict[str, Any]:
    """Return the forecast as plain values: seconds, connections, capacity units."""
    drain, ramp, assumed = found.drain, found.ramp, found.assumed
    second, peak = ramp.peak
    minute, units, most = *ramp.peak_units, ramp.most_units
    return {
        "clients": found.clients,
        "population": found.population.text,
        "assumed": {
            "connection_age": assumed.connection_age,
            "ttl": assumed.ttl,
            "requests_every": assumed.every,
            "bytes_per_request": assumed.bytes_per_request,
            "rules": assumed.rules,
            "horizon": assumed.horizon,
        },
        "drain": drain_as_json(drain),
        "ramp": {
            "peak_new_connections": {"second": second, "per_second": round(peak, 3)},
            "peak_capacity_units": {
                "minute": minute,
                "units": round(units.needed, 3),
                "for": units.greatest.replace(" ", "_"),
            },
            "most_capacity_units": {
                "new_connections": round(most.new_connections, 3),
                "active_connections": round(most.active_connections, 3),
                "bytes": round(most.bytes, 3),
                "rule_evaluations": round(most.rule_evaluations, 3),
            },
            "new_connections_by_minute": [
                round(sum(ramp.new[at : at + _MINUTE]), 3)
                for at in range(0, min(len(ramp.new), LISTED * _MINUTE), _MINUTE)
            ],
            "reservation": found.reservation,
        },
    }


def drain_as_json(drain: Drain) -> dict[str, Any]:
    """Return a drain as plain values."""
    return {
        "began_with": round(drain.began_with, 3),
        "p50": drain.left_by(0.5),
        "p99": drain.left_by(0.01),
        "last": drain.last,
        "left": round(drain.left, 3),
        "never": round(drain.never, 3),
        "connections_by_minute": [round(one, 3) for one in drain.by_minute()[: LISTED + 1]],
        "parts": [
            {
                "model": part.part.model.name,
                "resolver": part.part.resolver,
                "clients": round(part.clients, 3),
                "last": None if part.leaving.last is None else round(part.leaving.last, 3),
                "never": round(part.never, 3),
                "cause": part.leaving.cause,
                "remedy": why_never(part),
                "extrapolated": list(part.part.model.extrapolated),
            }
            for part in drain.parts
        ],
    }
