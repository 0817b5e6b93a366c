"""`coflex status` and `coflex abort`: show the parts and runs on a bus, and end a run."""

import asyncio
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.options.connection_options import MOST_SECONDS, Insecure, Keys, Nats
from orchestrator.reporting.wrapped_lines import print_line
from protocol.subjects import OPERATOR, check_name

if TYPE_CHECKING:
    from orchestrator.monitoring.operator_console import BusSurvey
    from protocol.messages import Expected, RefusedHost, RunState

Wait = Annotated[
    float, typer.Option(min=0.1, max=MOST_SECONDS, help="Seconds to wait for answers.")
]
WAIT = 2.0


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("status")(status)
    app.command("abort")(abort)


def status(
    nats: Nats,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    wait: Wait = WAIT,
    keys: Keys = None,
    insecure: Insecure = False,
) -> None:
    """Show the runs, hosts and matchmakers on a bus, and the parts that are missing."""
    from orchestrator.distributed.connection import reach
    from orchestrator.monitoring.operator_console import look

    seen = asyncio.run(look(reach(nats, OPERATOR, keys, insecure=insecure), wait))
    if as_json:
        typer.echo(json.dumps(seen.as_json(), indent=2))
        return
    for line in _lines(seen):
        print_line(line)


def abort(
    run: Annotated[str, typer.Argument(help="Name of the run, as `coflex status` shows it.")],
    nats: Nats,
    reason: Annotated[
        str, typer.Option(help="Reason, which is sent to every part.")
    ] = "no reason given",
    wait: Wait = WAIT,
    keys: Keys = None,
    insecure: Insecure = False,
) -> None:
    """End a run without a result; hosts and matchmakers then stand by for the next run."""
    from orchestrator.distributed.connection import reach
    from orchestrator.monitoring.operator_console import abort as end

    connection = reach(nats, OPERATOR, keys, insecure=insecure)
    asyncio.run(end(connection, check_name(run, "run"), reason=reason, seconds=wait))
    typer.echo(f"run {run} aborted")


def _lines(seen: "BusSurvey") -> list[str]:
    lines = []
    for _, state in sorted(seen.runs.items()):
        lines += _run(seen, state)
    for orphan in seen.orphans():
        lines.append(f"run {orphan}: MISSING orchestrator; hosts and matchmakers wait for it")
    for (name, run), part in sorted(
        seen.parts.items(), key=lambda item: (item[0][1] or "", *item[0][:1])
    ):
        where = "stands by" if run is None else " ".join(("run", run, part.stage)).rstrip()
        share = f", {part.households} households" if part.households else ""
        lines.append(f"{part.role} {name}: {where}{share}, {part.seconds:.0f} s")
        lines += _refused(part.refused)
    return lines or ["no answer: there is no part on this bus"]


def _run(seen: "BusSurvey", state: "RunState") -> list[str]:
    from orchestrator.monitoring.operator_console import exchange_rate

    how = [f"{state.enrolled} of {state.households} households"]
    if state.iteration >= 0:
        how.append(f"iteration {state.iteration + 1} of {state.iterations}")
    if state.round >= 0:
        how.append(f"round {state.round} of {state.rounds} at most")
        how.append(f"{state.exchanges} exchanges, {exchange_rate(state):.0f} a second")
    lines = [f"run {state.run}: {state.stage}, {', '.join(how)}, {state.seconds:.0f} s"]
    lines += _refused(state.refused)
    return lines + [f"  MISSING {_missing(part)}" for part in seen.missing(state)]


def _refused(hosts: "Sequence[RefusedHost]") -> list[str]:
    return [f"  refused: {each.times} from {each.host} ({each.what})" for each in hosts]


def _missing(part: "Expected") -> str:
    missing = (
        f"external household {part.name}" if part.role == "external" else f"{part.role} {part.name}"
    )
    share = f", {part.households} households" if part.role == "host" else ""
    heard = f", last heard {part.heard_seconds:.0f} s ago" if part.heard_seconds is not None else ""
    return f"{missing}{share}{heard}"
