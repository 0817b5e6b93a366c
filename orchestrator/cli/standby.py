"""`coflex matchmaker` and `coflex host`: parts of runs as commands, for use on several machines."""

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.options.connection_options import Insecure, Keys, Nats
from orchestrator.cli.options.monitoring_options import watched
from orchestrator.distributed.connection import reach
from orchestrator.distributed.standby import as_host, as_matchmaker, claimed_name, stand_by
from orchestrator.monitoring.part_status import PartStatus
from orchestrator.monitoring.prometheus import Operations, exposed
from protocol.errors import InputError
from protocol.subjects import check_name

RunName = Annotated[
    str | None,
    typer.Option(help="Take part only in this run, then end (default: in all runs)."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("matchmaker")(watched(matchmaker, "matchmaker", "info"))
    app.command("host")(watched(host, "host", "info"))


def matchmaker(
    operations: Operations,
    nats: Nats,
    name: Annotated[
        str, typer.Argument(help="Name of the matchmaker on the bus.")
    ] = "matchmaker-1",
    run: RunName = None,
    keys: Keys = None,
    insecure: Insecure = False,
) -> None:
    """Stand by as a matchmaker, which finds exchange partners for the households of every run."""
    connection = reach(nats, check_name(name, "name"), keys, insecure=insecure)
    status = PartStatus(connection.name, "matchmaker")
    with exposed(status, operations.endpoint):
        take_part = as_matchmaker(connection, status, standing_by=run is None)
        stand_by(connection, _checked(run), take_part=take_part, status=status)


def host(
    operations: Operations,
    nats: Nats,
    name: Annotated[
        str | None,
        typer.Argument(help="Name of the host; host-1 is the first of a run's --hosts."),
    ] = None,
    claim: Annotated[
        Path | None,
        typer.Option(
            help="Instead of a name: take the first of host-1, host-2, ... that no other host "
            "with the same folder has taken."
        ),
    ] = None,
    keep: Annotated[Path, typer.Option(help="Folder for the journals of the host.")] = Path("kept"),
    run: RunName = None,
    keys: Keys = None,
    insecure: Insecure = False,
) -> None:
    """Stand by as a host, which runs a share of the households of every run. A host that is killed
    and started again continues where its journal ends."""
    if (claim is None) == (name is None):
        raise InputError("give either a name or --claim", field="name")
    with contextlib.ExitStack() as stack:
        own = name if claim is None else stack.enter_context(claimed_name(claim))
        connection = reach(nats, check_name(own or "", "name"), keys, insecure=insecure)
        status = PartStatus(connection.name, "host")
        stack.enter_context(exposed(status, operations.endpoint))
        take_part = as_host(connection, keep, status, standing_by=run is None)
        stand_by(connection, _checked(run), take_part=take_part, status=status)


def _checked(run: str | None) -> str | None:
    return None if run is None else check_name(run, "--run")
