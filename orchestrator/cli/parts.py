"""The parts of a run as commands of their own, for several machines."""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.assembly import layout
from orchestrator.cli.options import with_settings
from orchestrator.hosting import serve
from orchestrator.inputs import read_inputs
from orchestrator.matchmaking import serve_lookups
from orchestrator.settings import RunSettings
from protocol.errors import InputError
from protocol.exchange_terms import ExchangeTerms, LocksName
from protocol.subjects import check_name


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("matchmaker")(matchmaker)
    app.command("host")(with_settings(host))


def matchmaker(
    nats: Annotated[str, typer.Option(help="URL of the NATS server.")],
    run: Annotated[str, typer.Option(help="Id of the run.")],
    slots: Annotated[int, typer.Option(min=1, help="Slots of every plan.")],
    name: Annotated[str, typer.Option(help="Its name on the bus.")] = "matchmaker-1",
    lease: Annotated[float, typer.Option(min=0.01, help="Seconds that a lease lasts.")] = 5.0,
    locks: Annotated[LocksName, typer.Option(help="What a lease marks busy.")] = "slot",
) -> None:
    """Serve lookups of one run until it is over: who offers what, and who is busy."""
    serve_lookups(
        check_name(run, "run"),
        check_name(name, "name"),
        slots,
        ExchangeTerms(lease=lease, locks=locks),
        nats,
    )


def host(
    name: Annotated[str, typer.Argument(help="Which host: host-1 is the first of --hosts.")],
    run: Annotated[str, typer.Option(help="Id of the run.")],
    keep: Annotated[Path, typer.Option(help="Folder where it keeps its journal.")],
    settings: RunSettings,
) -> None:
    """Be one host of a run: its share of the households. Goes on where its journal ends."""
    if settings.nats is None:
        raise InputError("say where the run's NATS server is", field="--nats")
    inputs = read_inputs(settings)
    hosts = layout(inputs.members, settings)
    if name not in hosts:
        raise InputError(f"no such host: they are {', '.join(list(hosts)[:4])} ...", field="name")
    serve(
        check_name(run, "run"),
        name,
        hosts[name],
        inputs,
        settings,
        kept=keep,
        url=settings.nats,
    )
