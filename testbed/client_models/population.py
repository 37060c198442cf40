"""Who calls a service: parts of a population by client model, with resolver, connection ages and region.

A scenario gives a mapping, `{"grpcio": 0.5, "python-requests": 0.5}`; a file (TOML or JSON) the same under
`clients`, or a list where one model has several parts:

```toml
[[clients]]
model = "grpcio"
share = 0.5
resolver = "unbound"       # between client and zone; default: direct
age = [0, 300]             # seconds: how old connections are when the alias moves; default: see `Part`
region = "eu-west-1"       # what a latency or geolocation record sees; default: the run's
requests_every = 0.2       # seconds between two requests of a client; default: always busy

[[clients]]
model = "grpcio"
share = 0.5
resolver = "ttl-floor:300"
```
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from testbed.client_models.catalogue import model_named
from testbed.client_models.client_model import ClientModel
from testbed.errors import BadInput, Location
from testbed.resolvers import known_resolvers
from testbed.resolvers.regions import REGIONS

_KEYS = ("model", "share", "resolver", "age", "region", "requests_every")
_SUM = 1e-9
"""Shares such as 0.1 + 0.2 + 0.7 are no exact 1."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a population.

    Attributes:
        model: how its clients behave.
        share: of the whole population, from above 0 to 1.
        resolver: what stands between these clients and the zone.
        ages: lowest and highest age of its connections, in production seconds, when the alias moves, each in
            between being as likely; None for what the run has: as old as the traffic, or younger than the
            targets' maximum connection age.
        region: where the clients are; "" for the region of the run.
        requests_every: production seconds between two requests of a client; 0 for always busy.
    """

    model: ClientModel
    share: float
    resolver: str = known_resolvers.DIRECT
    ages: tuple[float, float] | None = None
    region: str = ""
    requests_every: float = 0.0


def about(resolver: str, region: str, requests_every: float) -> str:
    """Return what a part has beside its model: ` (unbound, eu-west-1, a request every 30 s)`, or ""."""
    words = (
        "" if resolver == known_resolvers.DIRECT else resolver,
        region,
        f"a request every {requests_every:g} s" if requests_every else "",
    )
    told = ", ".join(filter(None, words))
    return f" ({told})" if told else ""


@dataclass(frozen=True, slots=True)
class Population:
    """Parts whose shares add up to 1.

    Attributes:
        parts: at least one.
        note: what was assumed, as a sentence without a full stop: that shares were scaled; "" for nothing.
    """

    parts: tuple[Part, ...]
    note: str = ""

    @property
    def text(self) -> str:
        """The population in words: `80 % grpcio, 20 % python-requests (unbound)`."""
        return ", ".join(
            f"{part.share * 100:.3g} % {part.model.name}"
            f"{about(part.resolver, part.region, part.requests_every)}"
            for part in self.parts
        )

    @classmethod
    def of(cls, clients: Mapping[str, Any] | Sequence[Any], *, where: Location | None = None) -> Population:
        """Read a population from plain values, as a scenario or a file gives them.

        Args:
            clients: model names with their shares, or with tables of a part's other keys; or a
                list of tables.
            where: the file, for the errors.

        Raises:
            BadInput: a name, key or value is wrong.
        """
        if isinstance(clients, Mapping):
            tables = [_table_of(name, value, where) for name, value in clients.items()]
        elif isinstance(clients, Sequence) and not isinstance(clients, str | bytes):
            tables = [_checked(table, f"clients[{number}]", where) for number, table in enumerate(clients)]
        else:
            raise BadInput(
                f"clients is {clients!r}, not a table of shares",
                where=where,
                do='write {"grpcio": 0.5, "python-requests": 0.5}',
            )
        if not tables:
            raise BadInput("clients is empty", where=where, do="name at least one client model")
        parts = [_part(table, where) for table in tables]
        total = sum(part.share for part in parts)
        if total == math.inf:
            raise BadInput("the shares of clients add up to no finite number", where=where)
        if abs(total - 1) <= _SUM:
            return cls(tuple(parts))
        scaled = tuple(dataclasses.replace(part, share=part.share / total) for part in parts)
        return cls(scaled, f"The shares add up to {total:g}; each is taken as a part of that")

    @classmethod
    def read(cls, path: Path) -> Population:
        """Read a population from a TOML or JSON file with the key `clients`.

        Raises:
            BadInput: the file cannot be read, or is no population.
        """
        where, is_json = Location(path), False
        try:
            text = path.read_text(encoding="utf-8")
            # Standard input has no suffix, and no TOML begins so.
            is_json = path.suffix == ".json" or text.lstrip().startswith("{")
            document = orjson.loads(text) if is_json else tomllib.loads(text)
        except OSError as error:
            raise BadInput(f"cannot be read: {error.strerror}", where=where) from None
        except (ValueError, RecursionError) as error:
            kind = "JSON" if is_json else "TOML"
            raise BadInput(f"not {kind}: {error}", where=where) from None
        if not isinstance(document, dict) or set(document) != {"clients"}:
            others = sorted(set(document) - {"clients"}) if isinstance(document, dict) else []
            what = f"unknown key {others[0]!r}" if others else "no key clients"
            raise BadInput(what, where=where, do="a population has the one key clients")
        return cls.of(document["clients"], where=where)


def _table_of(name: Any, value: Any, where: Location | None) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        if "model" in value:
            raise BadInput(f"clients.{name} names its model twice", where=where)
        return _checked({"model": name, **value}, f"clients.{name}", where)
    return {"model": name, "share": value}


def _checked(table: Any, title: str, where: Location | None) -> Mapping[str, Any]:
    if not isinstance(table, Mapping):
        raise BadInput(f"{title} is {table!r}, not a table", where=where)
    for key in table:
        if key not in _KEYS:
            raise BadInput(
                f"unknown key {key!r} in {title}", where=where, do=f"known keys are {', '.join(_KEYS)}"
            )
    for key in ("model", "share"):
        if key not in table:
            raise BadInput(f"{title} has no {key}", where=where)
    return table


def _part(table: Mapping[str, Any], where: Location | None) -> Part:
    name = table["model"]
    if not isinstance(name, str):
        raise BadInput(f"{name!r} is no client model", where=where, do="`testbed clients` lists the names")
    model = model_named(name, where=where)

    def wrong(key: str, do: str) -> BadInput:
        return BadInput(f"{key} of {name} is {table[key]!r}", where=where, do=do)

    if not is_number(table["share"]) or table["share"] <= 0:
        raise wrong("share", "write a number above 0")
    resolver, region = table.get("resolver", known_resolvers.DIRECT), table.get("region", "")
    try:
        known_resolvers.resolver(resolver)
    except BadInput as error:
        raise BadInput(error.what, where=where, do=error.do) from None
    if not isinstance(region, str) or (region and region not in REGIONS):
        near = difflib.get_close_matches(str(region), REGIONS, 1)
        raise wrong("region", f"did you mean {near[0]}?" if near else "write a region such as eu-west-1")
    every = table.get("requests_every", 0.0)
    if not is_number(every) or every < 0:
        raise wrong("requests_every", "write seconds, 0 or more")
    return Part(model, float(table["share"]), resolver, _ages(table.get("age"), wrong), region, float(every))


def _ages(value: Any, wrong: Callable[[str, str], BadInput]) -> tuple[float, float] | None:
    if value is None:
        return None
    match [0, value] if is_number(value) else value:
        case [low, high] if is_number(low) and is_number(high) and 0 <= low <= high:
            return float(low), float(high)
    raise wrong("age", "write the highest age in seconds, or [lowest, highest]")


def is_number(value: object) -> bool:
    """Return True for a finite number; bool is an int in Python, and `share = true` is a mistake."""
    # Compared with the greatest float, as an int may be beyond it.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


DEFAULT_POPULATION = Population.of({"grpcio": 0.8, "python-requests": 0.2})
"""What the article of the story had: an app that keeps its gRPC connection, and servers whose keep-alive pool
does not re-resolve; eight channels to two servers. Who names none gets this one, and is told."""
