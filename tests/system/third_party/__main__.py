"""The connection: receives frames, sends frames, and stores the household's state."""

import argparse
import asyncio
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from nats.aio.client import Client
from nats.aio.msg import Msg

from tests.system.third_party.household import Household
from tests.system.third_party.tank_home import TankHome
from tests.system.third_party.wire import read, write

LINGER = 1.0
"""Seconds for which it still answers after it has left."""


def read_plans(file: Path) -> tuple[Any, int]:
    """Return the plans in a file of lines score:value,value,... and the index of the preferred one:
    the best score, the first one on ties."""
    lines = [line.split(":") for line in file.read_text().split()]
    scores = [float(score) for score, _ in lines]
    plans = np.array([[float(value) for value in values.split(",")] for _, values in lines])
    return plans, scores.index(max(scores))


class Connection:
    """One household on the bus."""

    def __init__(self, household: Household, run: str, host: str, kept: Path | None) -> None:
        self.household, self.run, self.host, self.kept = household, run, host, kept
        self.arrived: asyncio.Queue[Msg] = asyncio.Queue()

    async def take_part(self, url: str) -> None:
        """Run until the household has left."""
        client = Client()
        await client.connect(url, name=self.host, max_reconnect_attempts=-1, error_cb=_ignore)
        subject = f"coflex.{self.run}.to.{self.host}.from.*"
        await client.subscribe(subject, cb=self.arrived.put)
        await client.flush()
        household, last = self.household, float("inf")
        if not household.place:
            household.start()
        await self.say(client)
        while not household.gone or time.monotonic() < last:
            await self.wait(min(household.due, last))
            household.voice.now = time.monotonic()
            while not self.arrived.empty():
                self.handle(self.arrived.get_nowait())
            household.tick()
            if household.gone and last == float("inf"):
                last = time.monotonic() + LINGER
            await self.say(client)
        await client.close()

    async def wait(self, until: float) -> None:
        """Wait for a message or a deadline."""
        seconds = max(0.0, until - time.monotonic())
        try:
            async with asyncio.timeout(seconds if seconds < 3600 else None):
                message = await self.arrived.get()
        except TimeoutError:
            return
        self.handle(message)

    def handle(self, message: Msg) -> None:
        sender, household = message.subject.rpartition(".")[2], self.household
        household.voice.now = time.monotonic()
        try:
            frame = read(self.run, message.data)
        except ValueError:
            household.dropped += 1
            return
        for heard in frame:
            try:
                if heard.to != household.name:
                    raise ValueError("nobody of that name here")
                household.hear(sender, heard)
            except ValueError:
                household.dropped += 1

    async def say(self, client: Client) -> None:
        """Send the household's messages, after storing the state that they depend on."""
        household, voice = self.household, self.household.voice
        said, voice.out = voice.out, []
        self.keep()
        for host in dict.fromkeys(to[0] for to, _, _ in said):
            messages = [
                (to[1], household.name, kind, fields) for to, kind, fields in said if to[0] == host
            ]
            data = write(self.run, messages)
            voice.frames, voice.bytes = voice.frames + 1, voice.bytes + len(data)
            await client.publish(f"coflex.{self.run}.to.{host}.from.{self.host}", data)
        await client.flush()

    def keep(self) -> None:
        """Store everything that the household knows, from the end of stage 1 on."""
        if self.kept is None:
            return
        if self.household.exchange is None:
            self.kept.unlink(missing_ok=True)
            return
        draft = self.kept.with_suffix(".draft")
        draft.write_bytes(pickle.dumps(self.household))
        draft.replace(self.kept)


async def _ignore(error: Exception) -> None:
    """Ignore errors of the client, which reconnects by itself; lost messages are repeated."""


def main(make: Callable[..., Household] = Household) -> None:
    """Run the household until the run is over."""
    parser = argparse.ArgumentParser()
    for option in ("--household", "--run", "--nats"):
        parser.add_argument(option, required=True)
    devices = parser.add_mutually_exclusive_group(required=True)
    devices.add_argument("--plans", type=Path)
    devices.add_argument("--home", type=Path)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    session = time.time_ns() // 1000
    if given.keep is not None and given.keep.exists():
        household = pickle.loads(given.keep.read_bytes())
        household.resume(session, time.monotonic())
    elif given.home is not None:
        home = TankHome.read(given.home)
        household = make(given.household, home.plans, 0, session, home)
    else:
        plans, preferred = read_plans(given.plans)
        household = make(given.household, plans, preferred, session)
    connection = Connection(
        household=household, run=given.run, host=given.household, kept=given.keep
    )
    asyncio.run(connection.take_part(given.nats))


if __name__ == "__main__":
    main()
