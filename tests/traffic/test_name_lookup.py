from __future__ import annotations

import asyncio
import dataclasses

import pytest

from testbed.client_models.catalogue import MODELS
from testbed.settings import PATIENCE, PRODUCTION
from testbed.traffic import dns_questions
from testbed.traffic.name_lookup import NameLookup, NoAddress


@pytest.fixture
def names(world):
    world.names.addresses = ["127.80.10.1", "127.80.10.2"]
    world.names.questions = 0
    yield world.names
    world.names.addresses = []
    world.names.ttl = 60
    world.names.is_silent = False


def looking_up(plan):
    return NameLookup(MODELS["ttl-pool"], plan.host, plan.dns_server, plan.clock)


@pytest.fixture
def caching(world, tmp_path):
    return looking_up(world.plan(tmp_path / "journal"))


async def test_all_addresses_of_the_answer_are_kept(caching, names):
    # dnspython shuffles what it sends, as Route 53 does
    assert sorted(await caching.addresses()) == ["127.80.10.1", "127.80.10.2"]


async def test_callers_at_the_same_time_share_one_query(caching, names):
    answers = await asyncio.gather(*(caching.addresses() for _ in range(20)))
    assert len(set(answers)) == 1
    assert names.questions == 1


async def test_an_answer_lasts_for_its_ttl_in_the_time_of_the_run(caching, names, world):
    await caching.addresses()
    await world.plan("j").clock.sleep(names.ttl / 2)
    await caching.addresses()
    assert names.questions == 1
    await world.plan("j").clock.sleep(names.ttl / 2)
    await caching.addresses()
    assert names.questions == 2


async def test_ttl_zero_is_asked_each_time(caching, names):
    names.ttl = 0
    for _ in range(3):
        await caching.addresses()
    assert names.questions == 3


@pytest.mark.parametrize(("addresses", "problem"), [(None, "NXDOMAIN"), ([], "no address")])
async def test_a_name_without_address_is_remembered_for_a_while(caching, names, world, addresses, problem):
    names.addresses = addresses
    for _ in range(3):
        with pytest.raises(NoAddress, match=problem):
            await caching.addresses()
    assert names.questions == 1
    names.addresses = ["127.80.10.1"]
    await world.plan("j").clock.sleep(PRODUCTION.client_negative_ttl)
    assert await caching.addresses() == ("127.80.10.1",)


async def test_a_silent_server_is_no_address_and_is_asked_again(world, tmp_path, names, monkeypatch):
    monkeypatch.setattr(dns_questions, "PATIENCE", dataclasses.replace(PATIENCE, dns_query=0.2))
    caching = looking_up(world.plan(tmp_path / "journal"))
    names.is_silent = True
    with pytest.raises(NoAddress):
        await caching.addresses()
    names.is_silent = False
    assert await caching.addresses()
