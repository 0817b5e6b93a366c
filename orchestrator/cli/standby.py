"""The parts of a run as commands of their own, for several machines."""

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.claim import claimed
from orchestrator.cli.monitoring_options import watched
from orchestrator.distributed.connection import reach
from orchestrator.distributed.standby import host_part, matchmaker_part, stand_by
from orchestrator.monitoring.part_status import PartStatus
from orchestrator.monitoring.prometheus import exposed
from orchestrator.operations import Operations
from protocol.errors import InputError
from protocol.subjects import check_name

Nats = Annotated[
    str,
    typer.Option(
        envvar="COFLEX_NATS", help="URL of the NATS server, or URLs of a cluster, comma separated."
    ),
]
Keys = Annotated[
    Path | None, typer.Option(envvar="COFLEX_KEYS", help="Keys for it, made by `coflex keys`.")
]
Insecure = Annotated[
    bool,
    typer.Option("--insecure", envvar="COFLEX_INSECURE", help="Allow one elsewhere without keys."),
]
Run = Annotated[
    str | None, typer.Option(help="Take part in this run only, and end (default: in all).")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("matchmaker")(watched(matchmaker, "matchmaker", "info"))
    app.command("host")(watched(host, "host", "info"))


def matchmaker(
    operations: Operations,
    nats: Nats,
    name: Annotated[str, typer.Argument(help="Its name on the bus.")] = "matchmaker-1",
    run: Run = None,
    keys: Keys = None,
    insecure: Insecure = False,
) -> None:
    """Stand by as a matchmaker: tell households who offers what, and who is busy."""
    connection = reach(nats, check_name(name, "name"), keys, insecure)
    duty = PartStatus(connection.name, "matchmaker")
    with exposed(duty, operations.endpoint):
        part = matchmaker_part(connection, standing=run is None, duty=duty)
        stand_by(connection, _checked(run), part, duty)


def host(
    operations: Operations,
    nats: Nats,
    name: Annotated[
        str | None, typer.Argument(help="Which host: host-1 is the first of a run's --hosts.")
    ] = None,
    claim: Annotated[
        Path | None,
        typer.Option(
            help="Instead of a name: be the first of host-1, host-2, ... that nobody who "
            "shares this folder is."
        ),
    ] = None,
    keep: Annotated[Path, typer.Option(help="Folder for its journals.")] = Path("kept"),
    run: Run = None,
    keys: Keys = None,
    insecure: Insecure = False,
) -> None:
    """Stand by as a host: run a share of the households of every run. Killed and started again, it
    goes on where its journal ends."""
    if (claim is None) == (name is None):
        raise InputError("give either a name or --claim", field="name")
    with contextlib.ExitStack() as stack:
        own = name if claim is None else stack.enter_context(claimed(claim))
        connection = reach(nats, check_name(own or "", "name"), keys, insecure)
        duty = PartStatus(connection.name, "host")
        stack.enter_context(exposed(duty, operations.endpoint))
        part = host_part(connection, keep, standing=run is None, duty=duty)
        stand_by(connection, _checked(run), part, duty)


def _checked(run: str | None) -> str | None:
    return None if run is None else check_name(run, "run")
