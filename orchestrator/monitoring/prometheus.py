"""The endpoint `/metrics` of a part, for Prometheus, and the means to watch a part.

`part_status.py` lists the metrics. The Prometheus library is imported only if there is an endpoint.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from orchestrator.coordination.run_phase import RunPhase
from orchestrator.monitoring.logs import LogSettings, PartLog
from orchestrator.monitoring.part_status import METRICS, PartStatus
from protocol.errors import InputError

if TYPE_CHECKING:
    from prometheus_client import Metric

LOOPBACK = "127.0.0.1"
RUN_STAGE = "coflex_run_stage"
"""A metric with one label: 1 for the current phase of the run, 0 for the others."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address where `/metrics` is served."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Operations:
    """The means to watch a part: its log settings and its endpoint.

    The parts that it starts have the same log settings, but no endpoint.
    """

    logs: LogSettings
    endpoint: Endpoint | None = None


UNWATCHED = Operations(LogSettings())


def read_endpoint(text: str) -> Endpoint:
    """Read PORT (on the loopback interface) or HOST:PORT; raises InputError for anything else."""
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise InputError(f"{text!r} is neither PORT nor HOST:PORT", field="--metrics")
    return Endpoint(host.strip("[]") or LOOPBACK, int(port))


class StatusCollector:
    """The status of a part as metrics of Prometheus."""

    def __init__(self, status: PartStatus) -> None:
        self._status = status

    def collect(self) -> "Iterator[Metric]":
        """Yield every metric with its current value."""
        from prometheus_client.core import (
            CounterMetricFamily,
            GaugeMetricFamily,
            InfoMetricFamily,
        )

        status, now = self._status, self._status.sample()
        about = {"name": status.name, "role": status.role, "version": version("coflex")}
        yield InfoMetricFamily("coflex_part", "Name, role and version of the part.", value=about)
        if (run := status.run) is not None:
            yield InfoMetricFamily("coflex_run", "Id of the current run.", value={"run": run})
        for name, count in now.counts.items():
            yield CounterMetricFamily(name, METRICS[name].help, value=count)
        for name, value in now.gauges.items():
            yield GaugeMetricFamily(name, METRICS[name].help, value=value)
        if now.run_phase is not None:
            stages = GaugeMetricFamily(RUN_STAGE, "1 for the current stage.", labels=["stage"])
            for phase in RunPhase:
                stages.add_metric([phase.name.lower()], float(phase is now.run_phase))
            yield stages


@contextmanager
def exposed(status: PartStatus, endpoint: Endpoint | None) -> Iterator[None]:
    """Serve the metrics of a part while the context lasts; do nothing without an endpoint.

    A thread serves them, so do not fork inside the context. Raises InputError if the address is not
    available.
    """
    if endpoint is None:
        yield
        return
    from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server

    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    registry.register(StatusCollector(status))
    try:
        server, thread = start_http_server(endpoint.port, endpoint.host, registry)
    except OSError as error:
        where = f"{endpoint.host}:{endpoint.port}"
        reason = f"{where} is not available: {error.strerror}"
        raise InputError(reason, field="--metrics") from None
    PartLog(status.name).info("serves metrics", port=server.server_port, host=endpoint.host)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
