"""A process as a NATS micro service: what `nats micro ls`, `info` and `stats` ask for is answered.

The second file that imports nats: the wording of the answers is nats-py's own (nats.micro). The
requests themselves come over the subscription of the process's shell, not over one of nats.micro,
so what was asked and how long it took is counted there and read here.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nats.micro.service import (
    EndpointInfo,
    EndpointStats,
    ServiceInfo,
    ServicePing,
    ServiceStats,
    ServiceVerb,
    control_subject,
)

from protocol.transport.nats_bus import NatsBus

REFUSED = "a message that nobody of this run would send was refused"
"""All that is said of an error: its own words may name a household."""
NO_QUEUE = ""
"""Each instance serves a subject of its own: no queue group shares them out."""


@dataclass(frozen=True, slots=True)
class Service:
    """What an instance says of itself; the same as long as it lives."""

    kind: str
    """Name of the service, the same for all its instances."""
    id: str
    """Name of this instance, the only one of its kind: one token of a subject."""
    version: str
    description: str
    metadata: Mapping[str, str]
    endpoint: str
    subject: str
    """What it subscribes to."""


@dataclass(frozen=True, slots=True)
class Work:
    """What an instance has done so far."""

    requests: int
    """Those refused included."""
    errors: int
    seconds: float
    """Spent on requests."""
    data: Mapping[str, int]


async def attend(bus: NatsBus, service: Service, work: Callable[[], Work]) -> None:
    """Answer PING, INFO and STATS from now on: to all, to this kind, to this instance."""
    started = datetime.now(UTC)

    def ping() -> dict[str, Any]:
        name = (service.id, service.kind, service.version)
        return ServicePing(*name, metadata=dict(service.metadata)).to_dict()

    def info() -> dict[str, Any]:
        return ServiceInfo(
            name=service.kind,
            id=service.id,
            version=service.version,
            description=service.description,
            endpoints=[EndpointInfo(service.endpoint, service.subject, NO_QUEUE)],
            metadata=dict(service.metadata),
        ).to_dict()

    def stats() -> dict[str, Any]:
        done = work()
        nanoseconds = round(done.seconds * 1e9)
        endpoint = EndpointStats(
            name=service.endpoint,
            subject=service.subject,
            queue_group=NO_QUEUE,
            num_requests=done.requests,
            num_errors=done.errors,
            processing_time=nanoseconds,
            average_processing_time=nanoseconds // done.requests if done.requests else 0,
            last_error=REFUSED if done.errors else "",
            data=dict(done.data),
        )
        return ServiceStats(
            id=service.id,
            name=service.kind,
            version=service.version,
            started=started,
            endpoints=[endpoint],
            metadata=dict(service.metadata),
        ).to_dict()

    def written(say: Callable[[], dict[str, Any]]) -> Callable[[], bytes]:
        return lambda: json.dumps(say()).encode()

    for verb, say in (
        (ServiceVerb.PING, ping),
        (ServiceVerb.INFO, info),
        (ServiceVerb.STATS, stats),
    ):
        for kind, instance in ((None, None), (service.kind, None), (service.kind, service.id)):
            await bus.answer(control_subject(verb, kind, instance), written(say))
