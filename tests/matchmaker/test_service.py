"""Matchmakers as NATS micro services: the answers to standard tools, and their counts."""

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence

import numpy as np
import pytest
from nats.aio.client import Client
from nats.errors import NoRespondersError
from nats.micro.service import ServiceInfo, ServicePing, ServiceStats

from orchestrator.distributed.announcements import announce
from orchestrator.distributed.embedded_server import EmbeddedServer
from protocol.codec import Item, decode_frame, encode_frame
from protocol.messages import Address, Announce, Lookup, Match, Proposal
from protocol.messages.exchange import Closed, LeaseId
from protocol.subjects import ORCHESTRATOR
from protocol.terms import ExchangeTerms
from protocol.transport.bus import Connection
from protocol.transport.nats_bus import NatsBus
from tests.support.commission import commissioning, roster

pytestmark = pytest.mark.nats
COFLEX = (sys.executable, "-c", "from orchestrator.cli import main; main()")
KIND, NAMES, SLOTS = "coflex-matchmaker", ("matchmaker-1", "matchmaker-2"), 3


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with EmbeddedServer() as started:
        yield started


@pytest.fixture
def makers(server: EmbeddedServer) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start two matchmakers of run r."""
    where = ("--nats", server.url, "--run", "r")
    started = [subprocess.Popen((*COFLEX, "matchmaker", name, *where)) for name in NAMES]
    yield started
    for process in started:
        process.kill()
        process.wait()


@contextlib.asynccontextmanager
async def tool(url: str) -> AsyncIterator[Client]:
    """Return a client that knows nothing of coflex except that run r is announced."""
    client = Client()
    await client.connect(url)
    makers = tuple(Address(name, name) for name in NAMES)
    announced = Announce(
        settings="{}", slots=SLOTS, exchange=ExchangeTerms(locks="household"), matchmakers=makers
    )
    bus = await NatsBus.connect(Connection(url, ORCHESTRATOR))
    telling = asyncio.create_task(announce(bus, "r", announced))
    try:
        async with commissioning(bus, "r", roster({"one": ["one"], "two": ["two"]})):
            yield client
    finally:
        telling.cancel()
        await bus.close()
        await client.close()


async def ask(client: Client, subject: str) -> dict[str, object]:
    answer: dict[str, object] = json.loads((await client.request(subject, timeout=10)).data)
    return answer


async def ask_all(client: Client, subject: str, expected: int) -> list[dict[str, object]]:
    """Return the expected number of answers; ask again until they come, since a service may still
    be starting."""
    async with asyncio.timeout(60):
        while True:
            inbox = await client.subscribe(reply := client.new_inbox())
            await client.publish(subject, b"", reply=reply)
            answers: list[dict[str, object]] = []
            with contextlib.suppress(TimeoutError):
                while len(answers) < expected:
                    data = (await inbox.next_msg(timeout=0.2)).data
                    # Empty: the server says that nobody listens yet.
                    answers += [json.loads(data)] if data else []
            await inbox.unsubscribe()
            if len(answers) == expected:
                return answers


class Household:
    """A household that looks up and reads the answers."""

    def __init__(self, client: Client, name: str) -> None:
        self.client, self.name = client, name
        self._number = 0

    async def say(
        self,
        *,
        offers: Sequence[tuple[int, float, float]] = (),
        wants: Sequence[int] = (),
        closed: Sequence[Closed] = (),
        epoch: int = 0,
    ) -> Match:
        self._number += 1
        slots, values, limits = zip(*offers, strict=True) if offers else ((), (), ())
        nothing = np.zeros(0)
        message = Lookup(
            session=1,
            number=self._number,
            epoch=epoch,
            round=1,
            limits_bind=True,
            disclosure="limit",
            slots=tuple(slots),
            values_kwh=np.array(values, dtype=float),
            limits_kwh=np.array(limits, dtype=float),
            withdrawn=(),
            closed=tuple(closed),
            wants=tuple(wants),
            wanted_kwh=nothing,
            tolerance_kwh=nothing,
            min_gain_kwh2=0.0,
            leases_max=1,
        )
        subject = f"coflex.r.to.{NAMES[0]}.from.{self.name}"
        answers = await self.client.subscribe(f"coflex.r.to.{self.name}.from.{NAMES[0]}")
        await self.client.publish(subject, encode_frame("r", [Item(NAMES[0], self.name, message)]))
        data = (await answers.next_msg(timeout=30)).data
        await answers.unsubscribe()
        match = decode_frame(data, "r")[0].message
        assert isinstance(match, Match)
        return match


async def stats_of(client: Client, id_: str) -> ServiceStats:
    return ServiceStats.from_dict(await ask(client, f"$SRV.STATS.{KIND}.{id_}"))


async def test_standard_tools_find_and_count(
    server: EmbeddedServer, makers: list[subprocess.Popen[bytes]]
) -> None:
    async with tool(server.url) as client:
        for subject in ("$SRV.PING", f"$SRV.PING.{KIND}"):
            pings = [ServicePing.from_dict(one) for one in await ask_all(client, subject, 2)]
            assert {ping.name for ping in pings} == {KIND}
            assert {ping.metadata["name"] for ping in pings} == set(NAMES)
            assert len({ping.id for ping in pings}) == 2
        ids = {ping.metadata["name"]: ping.id for ping in pings}
        info = ServiceInfo.from_dict(await ask(client, f"$SRV.INFO.{KIND}.{ids[NAMES[0]]}"))
        assert (info.id, info.type) == (ids[NAMES[0]], "io.nats.micro.v1.info_response")
        assert [(one.name, one.subject) for one in info.endpoints] == [
            ("lookup", f"coflex.r.to.{NAMES[0]}.from.*")
        ]
        assert info.metadata["run"] == "r"

        # Two who exchange at slot 0, do not agree at slot 1, and leave slot 2 open.
        one, two = Household(client, "one"), Household(client, "two")
        match = await one.say(offers=[(0, 1.0, 1.5), (1, 1.0, 1.5), (2, 1.0, 1.5)])
        epoch = match.epoch
        await two.say(offers=[(0, 2.0, -1.5), (1, 2.0, -1.5), (2, 2.0, -1.5)])
        lease = (await one.say(wants=[0], epoch=epoch)).leases[0]
        await one.say(closed=[Closed(lease.id, "done")], offers=[(0, 2.0, 0.0)], epoch=epoch)
        await two.say(closed=[Closed(lease.id, "done")], offers=[(0, 1.0, 0.0)], epoch=epoch)
        lease = (await one.say(wants=[1], epoch=epoch)).leases[0]
        await two.say(closed=[Closed(lease.id, "refused")], epoch=epoch)
        assert len((await one.say(wants=[2], epoch=epoch)).leases) == 1
        assert (await one.say(wants=[2], epoch=epoch)).engaged

        served = (await stats_of(client, ids[NAMES[0]])).endpoints[0]
        assert (served.num_requests, served.num_errors, served.last_error) == (9, 0, "")
        assert served.processing_time > 0
        assert served.average_processing_time == served.processing_time // 9
        assert served.data == {
            "households": 2, "offers": 6, "open": 1, "lookups": 3, "matches": 3, "none": 0,
            "busy": 0, "done": 1, "refused": 1, "expired": 0,
        }  # fmt: skip

        # What cannot be used counts as a request and as an error.
        strange = Proposal(
            lease=LeaseId(1, 1), slot=0, given_kwh=1.0, taken_kwh=2.0, change_kwh2=0.0
        )
        subject = f"coflex.r.to.{NAMES[0]}.from.one"
        await client.publish(subject, b"nothing that we know")
        await client.publish(subject, encode_frame("r", [Item(NAMES[0], "one", strange)]))
        await one.say(epoch=epoch)
        answer = await ask(client, f"$SRV.STATS.{KIND}.{ids[NAMES[0]]}")
        served = ServiceStats.from_dict(answer).endpoints[0]
        assert (served.num_requests, served.num_errors) == (12, 2)
        assert served.last_error
        assert '"one"' not in json.dumps(answer)

        everybody = [ServiceStats.from_dict(s) for s in await ask_all(client, "$SRV.STATS", 2)]
        requests = {s.metadata["name"]: s.endpoints[0].num_requests for s in everybody}
        assert requests == {NAMES[0]: 12, NAMES[1]: 0}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_matchmaker_ends_cleanly_when_it_is_released(
    server: EmbeddedServer, makers: list[subprocess.Popen[bytes]], number: signal.Signals
) -> None:
    async with tool(server.url) as client:
        await ask_all(client, "$SRV.PING", 2)
        for process in makers:
            process.send_signal(number)
        for process in makers:
            assert await asyncio.to_thread(process.wait, 10) == 0
        with pytest.raises(NoRespondersError):
            await client.request("$SRV.PING", timeout=10)
