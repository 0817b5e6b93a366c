"""A process as a NATS micro service: it answers `nats micro ls`, `info` and `stats`.

This file imports nats for the format of the answers (nats.micro). Requests arrive over the
subscription of the process's shell, not over one of nats.micro, so the shell counts and times them
and this module reads the numbers.
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
"""The only description given of an error: the original text may name a household."""
NO_QUEUE = ""
"""No queue group: each instance has a subject of its own."""


@dataclass(frozen=True, slots=True)
class Service:
    """The description of an instance; it stays the same as long as the instance lives."""

    kind: str
    """Name of the service, the same for all its instances."""
    id: str
    """Id of this instance: one token of a subject, unique within its kind."""
    version: str
    description: str
    metadata: Mapping[str, str]
    endpoint: str
    subject: str
    """Subject that it subscribes to."""


@dataclass(frozen=True, slots=True)
class Work:
    """The work of an instance so far."""

    requests: int
    """Number of requests, including refused ones."""
    errors: int
    seconds: float
    """Time spent on requests, seconds."""
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
