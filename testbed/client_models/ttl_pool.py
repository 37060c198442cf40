"""The client that advice on TTLs has in mind: it honours the TTL and leaves an address no longer answered.

Few real libraries do that: of those in the table, none that keeps its connections.
"""

from __future__ import annotations

from datetime import date

from testbed.client_models.client_model import (
    AddressCache,
    ClientModel,
    LookUp,
    NegativeCache,
    OnNewAnswer,
    Source,
)
from testbed.settings import PRODUCTION

TTL_POOL = ClientModel(
    name="ttl-pool",
    family="The testbed's own",
    protocol="http/1.1",
    looks_up=LookUp.REQUEST,
    cache=AddressCache(honours_ttl=True),
    negative=NegativeCache(PRODUCTION.client_negative_ttl),
    on_new_answer=OnNewAnswer.LEAVES,
    max_idle=PRODUCTION.client_keep_alive,
    retries=1,
    source=Source("the testbed's client of releases 0.1 and 0.2", "-", date(2026, 11, 27), ("its code",)),
    extrapolated=("no library: an ideal",),
    surprise="It is what plans assume, and what no measured library with a keep-alive pool does.",
)
MODELS = (TTL_POOL,)
