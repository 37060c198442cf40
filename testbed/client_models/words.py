"""The client models in words: the table of `testbed clients` and of docs/clients.md."""

from __future__ import annotations

import enum
import itertools
import math
import textwrap
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

from testbed.client_models.client_model import NEVER, ClientModel, LookUp

WIDTH = 80
_REAL = "grpcio"


def looks_up(model: ClientModel) -> str:
    """Return when a model looks up, and for how long it keeps the answer."""
    if model.looks_up is LookUp.INTERVAL:
        return f"by itself, every {model.interval:g} s"
    if model.looks_up is LookUp.LOSS:
        return f"{model.looks_up.value}, {model.interval:g} s after its last look-up at the earliest"
    cache = model.cache
    if cache.seconds == NEVER:
        return f"once{'; again when a connection is refused' if cache.dropped_when_refused else ''}"
    parts = [model.looks_up.value]
    if cache.honours_ttl:
        parts.append(f"once the TTL{f' + {cache.extra:g} s' if cache.extra else ''} has passed")
        parts += [f"but after {cache.seconds:g} s at the earliest"] if cache.seconds else []
    elif cache.seconds:
        parts.append(f"{cache.seconds:g} s after its last look-up at the earliest")
    return ", ".join(parts)


def connection(model: ClientModel) -> str:
    """Return what a model does with its connection."""
    if not model.keeps_connection:
        return "a connection for each request"
    limit = "no idle limit" if model.max_idle == NEVER else f"closes it after {model.max_idle:g} idle s"
    return f"{limit}; on a new answer it {model.on_new_answer.value}"


def negative(model: ClientModel) -> str:
    """Return for how long a model keeps the answer that there is no such name."""
    if model.negative.by_soa:
        return "the lesser of the SOA record's TTL and MINIMUM"
    if model.keeps_addresses:
        return "goes on with the last addresses"
    return f"{model.negative.seconds:g} s" if model.negative.seconds else "not kept"


def measured(model: ClientModel) -> str:
    """Return where the figures of a model come from."""
    return f"{model.source}{f'; over TLS: {model.over_tls}' if model.over_tls else ''}"


def in_a_run(model: ClientModel) -> str:
    """Return how a live run has a model: `the real library`, `by its rules`, or why not."""
    if model.unplayed:
        return f"not played: {model.unplayed}"
    if model.name == _REAL:
        return "the real library"
    return (
        f"played by {_REAL}, whose rules are the same" if model.protocol == "grpc" else "played by its rules"
    )


def text(models: Iterable[ClientModel]) -> list[str]:
    """Return the table as lines of at most 80 columns, by family."""
    lines = [
        *("What each client does when an alias moves to another address.",),
        *("* = partly extrapolated: not measured, but assumed.", ""),
    ]
    for family, members in itertools.groupby(models, key=lambda one: one.family):
        lines.append(family)
        for model in members:
            lines.append(f"  {model.name}{' *' if model.extrapolated else ''}")
            lines += _wrapped(_rows(model), 6)
        lines.append("")
    return lines[:-1]


def whole(model: ClientModel) -> list[str]:
    """Return all that is known of one model, as lines of at most 80 columns."""
    speaks = f"{model.protocol}{', HTTP/2 where TLS offers it (ALPN)' if model.speaks_h2 else ''}"
    follows = "by itself" if model.follows_by_itself else "only when something ends its connection"
    more = [
        ("speaks ", speaks),
        ("goes to the new address ", follows),
        ("retires a connection after ", f"{model.max_age:g} s" if model.max_age < NEVER else ""),
        ("retries: ", str(model.retries) if model.retries else "none"),
    ]
    return [f"{model.name} ({model.family})", *_wrapped([*more, *_rows(model)], 2)]


def _rows(model: ClientModel) -> list[tuple[str, str]]:
    return [
        ("looks up ", looks_up(model)),
        ("connection: ", connection(model)),
        ("no such name: ", negative(model)),
        ("in a run: ", in_a_run(model)),
        ("", measured(model)),
        ("surprise: ", model.surprise),
        ("* ", "; ".join(model.extrapolated)),
    ]


def _wrapped(rows: Iterable[tuple[str, str]], indent: int) -> list[str]:
    first, later = " " * indent, " " * (indent + 2)
    return [
        line
        for title, words in rows
        if words
        for line in textwrap.wrap(f"{title}{words}", WIDTH, initial_indent=first, subsequent_indent=later)
    ]


def markdown(models: Iterable[ClientModel]) -> list[str]:
    """Return the table as Markdown."""
    head = (
        "client",
        "looks up",
        "connection",
        "no such name",
        "in a run",
        "measured",
        "extrapolated",
        "surprise",
    )
    rows = [
        (
            f"`{model.name}`",
            *(looks_up(model), connection(model), negative(model), in_a_run(model), measured(model)),
            *("; ".join(model.extrapolated), model.surprise),
        )
        for model in models
    ]
    return [f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows)]


def as_json(models: Iterable[ClientModel]) -> list[dict[str, Any]]:
    """Return the models as plain values; a duration without an end is null."""
    return [_plain(model) for model in models]


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and math.isinf(value):
        return None
    if isinstance(value, date):
        return value.isoformat()
    return value.name.lower() if isinstance(value, enum.Enum) else value
