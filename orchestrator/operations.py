"""How a part is watched while it works: what it logs, and whether it serves metrics."""

from dataclasses import dataclass

from orchestrator.monitoring.logs import LogSettings
from orchestrator.monitoring.prometheus import Endpoint


@dataclass(frozen=True, slots=True)
class Operations:
    """The same for a part and for those that it starts, but for the endpoint: that is its own."""

    logs: LogSettings
    endpoint: Endpoint | None = None


UNWATCHED = Operations(LogSettings())
