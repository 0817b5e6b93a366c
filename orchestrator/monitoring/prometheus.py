"""The endpoint `/metrics` of a part, for Prometheus: names, kinds and meanings of what is shown.

What is counted, is counted elsewhere (duty.py). The library is imported only where there is an
endpoint.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal

from orchestrator.monitoring.logs import PartLog
from orchestrator.monitoring.part_status import PartStatus
from protocol.errors import InputError

if TYPE_CHECKING:
    from prometheus_client import Metric

LOOPBACK = "127.0.0.1"
COUNTERS = {
    "coflex_runs": "Runs that this part has taken part in and that are over.",
    "coflex_bus_sent_messages": "Messages sent, several to a frame.",
    "coflex_bus_sent_frames": "Frames sent: messages as the bus counts them.",
    "coflex_bus_sent_bytes": "Bytes of the frames sent.",
    "coflex_bus_resent_messages": "Messages sent again since no answer came in time.",
    "coflex_bus_dropped_messages": "Frames and messages that were refused, or lost in an outage.",
    "coflex_bus_received_frames": "Frames received, whatever became of them.",
    "coflex_bus_received_bytes": "Bytes of the frames received.",
    "coflex_bus_reconnects": "Connections to the bus that were lost and came back.",
    "coflex_exchange_lookups": "Slots that households of this host looked up.",
    "coflex_exchange_matches": "Partners found for households of this host.",
    "coflex_exchange_proposals": "Proposals that households of this host made.",
    "coflex_exchange_accepted": "Proposals of theirs that were accepted: exchanges.",
    "coflex_exchange_refused": "Proposals of theirs that were refused.",
    "coflex_exchange_given": "Proposals of others that they accepted.",
    "coflex_exchange_withheld": "Proposals of others that they refused.",
    "coflex_matchmaker_requests": "Lookup messages answered, repeated ones included.",
    "coflex_matchmaker_lookups": "Slots looked up.",
    "coflex_matchmaker_matches": "Leases given.",
    "coflex_matchmaker_none": "Lookups of a slot where nobody offers what would serve.",
    "coflex_matchmaker_busy": "Lookups of a slot where all who would serve were busy.",
    "coflex_matchmaker_done": "Leases closed with an exchange.",
    "coflex_matchmaker_refused": "Leases closed without one.",
    "coflex_matchmaker_expired": "Leases that nobody closed in time.",
    "coflex_run_exchanges": "Exchanges of the runs, up to the newest round.",
}
"""What only rises, over all runs of the process; shown with `_total`."""
GAUGES = {
    "coflex_bus_connected": "1 if there is a connection to the bus.",
    "coflex_households": "Households that live on this host.",
    "coflex_iteration": "Iteration of stage 1 that the host's first household is in.",
    "coflex_matchmaker_households": "Households known.",
    "coflex_matchmaker_offers": "Offers known.",
    "coflex_matchmaker_leases": "Leases that are open.",
    "coflex_run_households": "Households of the run.",
    "coflex_run_enrolled_households": "Those that have enrolled.",
    "coflex_run_iteration": "Newest iteration of stage 1 that is over; -1: none.",
    "coflex_run_round": "Newest round of stage 2 that is over; -1: none.",
    "coflex_run_attempt": "Attempt at stage 1: above 1 when a household lost what it knew.",
}
STAGE = "coflex_run_stage"
"""1 for the stage the run is in, a label; 0 for the others."""
Kind = Literal["counter", "gauge"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where `/metrics` is served."""

    host: str
    port: int


def read_endpoint(text: str) -> Endpoint:
    """PORT (on the loopback interface) or HOST:PORT; InputError for anything else."""
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise InputError(f"{text!r} is neither PORT nor HOST:PORT", field="--metrics")
    return Endpoint(host.strip("[]") or LOOPBACK, int(port))


class Exposition:
    """The collector of a part."""

    def __init__(self, duty: PartStatus) -> None:
        self._duty = duty

    def collect(self) -> "Iterator[Metric]":
        """All of it, as it is now."""
        from prometheus_client.core import (
            CounterMetricFamily,
            GaugeMetricFamily,
            InfoMetricFamily,
        )

        duty, now = self._duty, self._duty.reading()
        about = {"name": duty.name, "role": duty.role, "version": version("coflex")}
        yield InfoMetricFamily("coflex_part", "Which part this is.", value=about)
        if (run := duty.run) is not None:
            yield InfoMetricFamily("coflex_run", "The run it takes part in.", value={"run": run})
        for name, count in now.counts.items():
            yield CounterMetricFamily(name, COUNTERS[name], value=count)
        stages = GaugeMetricFamily(STAGE, "1 for the stage of the run.", labels=["stage"])
        for name, value in now.gauges.items():
            what, _, stage = name.partition("/")
            if stage:
                stages.add_metric([stage], value)
            else:
                yield GaugeMetricFamily(what, GAUGES[what], value=value)
        if stages.samples:
            yield stages


@contextmanager
def exposed(duty: PartStatus, endpoint: Endpoint | None) -> Iterator[None]:
    """Serve the metrics of a part as long as the context lasts; nothing without an endpoint.

    InputError if the address is not to be had. A thread serves them: fork before, not within.
    """
    if endpoint is None:
        yield
        return
    from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server

    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    registry.register(Exposition(duty))
    try:
        server, thread = start_http_server(endpoint.port, endpoint.host, registry)
    except OSError as error:
        where = f"{endpoint.host}:{endpoint.port}"
        raise InputError(f"{where} is not to be had: {error.strerror}", field="--metrics") from None
    PartLog(duty.name).info("serves metrics", port=server.server_port, host=endpoint.host)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
