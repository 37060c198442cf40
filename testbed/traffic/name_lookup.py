"""Looks up the name for one client, when the rule of its model says so."""

from __future__ import annotations

import asyncio

from testbed.client_models.client_model import ClientModel
from testbed.clock import Clock
from testbed.traffic import dns_questions
from testbed.traffic.address_book import AddressBook


class NoAddress(Exception):
    """The name has no address, or the DNS server did not answer."""


class NameLookup:
    """Sends one question at a time; callers in the meantime wait for the same answer.

    Attributes:
        book: what it has learned.
        sent: the number of look-ups so far.
    """

    def __init__(self, model: ClientModel, host: str, server: tuple[str, int], clock: Clock) -> None:
        self.book = AddressBook(model)
        self.sent = 0
        self._host = host
        self._server = server
        self._clock = clock
        self._question: asyncio.Task[None] | None = None

    async def addresses(self) -> tuple[str, ...]:
        """Return the addresses that the client uses now; look them up if its cache does not have them.

        Raises:
            NoAddress: there is none.
        """
        if self.book.is_due(self._clock.now()):
            await self.look_up()
        if not self.book.addresses:
            raise NoAddress(f"DNS: {self._host}: {self.book.problem}")
        return self.book.addresses

    async def look_up(self) -> None:
        """Ask the server, or wait for the answer to the question that is on its way."""
        if self._question is None:
            self._question = asyncio.create_task(self._ask())
        # Shielded: a cancelled request must not cancel the question that others wait for.
        await asyncio.shield(self._question)

    async def _ask(self) -> None:
        self.sent += 1
        try:
            answer = await dns_questions.ask(self._host, "A", self._server)
            self.book.learn(self._clock.now(), answer)
        finally:
            self._question = None
