"""Interaction scripts: a text file of commands and what they lead to, readable without the code.

A script starts with `#` lines that say what it shows; then come blocks: a command line, `----`, and
what was sent in answer. `pytest --rewrite` writes down what happens now; look at the difference.

Commands (time in seconds after `at`):
    household NAME plans V,V;V,V            a household with these plans, the first preferred
    orchestrator NAME,NAME [deadline S] [matchmakers NAME,NAME]   a run of these members
    at T: FROM > TO Kind field=value ...    hand a message over
    at T: start NAME                        begin, as its node does when it starts
    at T: tick NAME                         let time pass
    show NAME                               its phase and selections
"""

from pathlib import Path
from typing import Any

import numpy as np

from agents.household import Household
from agents.plans import Plans
from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.nodes import ORCHESTRATOR_ADDRESS
from protocol import messages
from protocol.errors import PeerError
from protocol.messages import (
    Address,
    Down,
    Go,
    Iteration,
    Place,
    PlanningHistory,
    Progress,
    Ready,
    Result,
    RoundCount,
    Up,
)
from protocol.runtime.machine import Envelope, Machine
from protocol.terms import ExchangeTerms, Reorganisation, Terms
from tests.support.gate import handed
from tests.support.paths import ROOT
from tests.support.valid_results import iterations

ITERATIONS = 2


class Script:
    """The machines of one script."""

    def __init__(self) -> None:
        self.machines: dict[str, Machine] = {}

    def play(self, line: str) -> str:
        """What the command leads to, as text."""
        if line.startswith("at "):
            moment, _, command = line[3:].partition(": ")
            return self._at(float(moment), command)
        what, name, *rest = line.split(" ")
        match what:
            case "household":
                rows = [[float(v) for v in plan.split(",")] for plan in rest[1].split(";")]
                plans = Plans(np.array(rows), np.ones(len(rows)))
                self.machines[name] = Household(address(name), ORCHESTRATOR_ADDRESS, plans)
                return "ok"
            case "orchestrator":
                options = dict(zip(rest[::2], rest[1::2], strict=True))
                deadline = float(options.pop("deadline", "60"))
                matchmakers = options.pop("matchmakers", "")
                if options:
                    raise ValueError(f"unknown options: {line}")
                exchange = ExchangeTerms() if matchmakers else None
                terms = Terms(
                    iterations=ITERATIONS, exchange=exchange, patience_seconds=deadline / 3
                )
                self.machines["orchestrator"] = RunCoordinator(
                    ORCHESTRATOR_ADDRESS,
                    name.split(","),
                    lambda _: terms,
                    matchmakers=addresses(matchmakers),
                    deadline=deadline,
                )
                return "ok"
            case "show":
                return shown(self.machines[name])
        raise ValueError(f"unknown command: {line}")

    def _at(self, now: float, command: str) -> str:
        words = command.split(" ")
        if words[0] == "start":
            return listed(self.machines[words[1]].tick(now))
        if words[0] == "tick":
            machine = self.machines[words[1]]
            deadline = machine.next_deadline()
            due = "never" if deadline is None else f"{deadline:g}"
            if deadline is None or deadline > now:
                return f"nothing due before {due}"
            return listed(machine.tick(now))
        sender, _, to, kind, *fields = words
        message = getattr(messages, kind)(**dict(parsed(kind, field) for field in fields))
        try:
            return listed(
                handed(self.machines[to], Envelope(address(sender), address(to), message), now)
            )
        except PeerError as error:
            return f"refused: {error}"


def address(name: str) -> Address:
    """Return the address of a machine on a host of the same name; `name@host` lives elsewhere."""
    name, _, host = name.partition("@")
    return Address(host or name, name)


def addresses(names: str) -> tuple[Address, ...]:
    """Return the addresses of names that are joined by commas."""
    return tuple(map(address, filter(None, names.split(","))))


def written(where: Address) -> str:
    """Return an address as `address` reads it."""
    return where.name if where.host == where.name else f"{where.name}@{where.host}"


def parsed(kind: str, text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    match name:
        case "response_kwh":
            return name, np.array([float(v) for v in value.split(",")])
        case "parent":
            return name, None if value == "-" else address(value)
        case "children" | "roster" | "missing":
            return name, addresses(value)
        case "terms":
            given = dict(pair.split(":") for pair in value.split(",") if pair)
            options: Any = {k: float(v) if "." in v else int(v) for k, v in given.items()}
            if "period" in options:
                options["reorganisation"] = Reorganisation("periodically", options.pop("period"))
            return name, Terms(**options)
        case "count":
            return name, RoundCount._make([0] * len(RoundCount._fields))._replace(
                accepted=int(value)
            )
        case "iteration" if kind == "Progress":
            return name, Iteration(
                iteration=int(value),
                inefficiency=0.0,
                unfairness=0.0,
                mean_discomfort=0.0,
                cost=0.0,
            )
        case "approved" | "reorganise":
            return name, value == "yes"
        case "discomfort" | "discomfort_squares" | "beta" | "discomfort_planned_kwh":
            return name, float(value)
        case "reason":
            return name, value
        case "planning_history":
            sums = np.array([float(v) for v in value.split(",")])
            return name, PlanningHistory(iterations(ITERATIONS), sums)
    return name, int(value)


def listed(envelopes: list[Envelope]) -> str:
    """What is sent, a line a message."""
    lines = [f"{written(e.sender)} > {written(e.to)} {described(e.message)}" for e in envelopes]
    return "\n".join(lines) or "nothing"


def described(message: messages.Message) -> str:
    """The message in a few words."""
    match message:
        case Up():
            return (
                f"Up {message.iteration}: {vector(message.response_kwh)} of {message.size}, "
                f"discomfort {message.discomfort:.4g}"
            )
        case Down():
            verdict = "approved" if message.approved else "not approved"
            verdict += ", then a new tree" if message.reorganise else ""
            return f"Down {message.iteration}: {vector(message.response_kwh)}, {verdict}"
        case Place():
            above = message.parent.name if message.parent else "nobody"
            below = ", ".join(child.name for child in message.children) or "nobody"
            where = f"Place {message.position} of {message.households}{again(message.attempt)}"
            return f"{where}: below {above}, above {below}"
        case Go() | Ready():
            return f"{type(message).__name__}{again(message.attempt)}"
        case Progress():
            row = message.iteration
            return f"Progress {row.iteration}: inefficiency {row.inefficiency:.4g}"
        case Result():
            course = (
                f", course of {len(message.planning_history.iterations)}"
                if message.planning_history
                else ""
            )
            return (
                f"Result: plan {message.selected_plan}, discomfort "
                f"{message.discomfort_planned_kwh:.4g}{course}"
            )
        case messages.Waiting():
            names = ", ".join(a.name for a in message.missing)
            return f"Waiting in {message.iteration} for {names}"
        case messages.Abort():
            return f"Abort: {message.reason}"
    return type(message).__name__


def again(attempt: int) -> str:
    """Return the number of the attempt at stage 1, unless it is the first."""
    return f" in attempt {attempt}" if attempt > 1 else ""


def vector(x: np.ndarray) -> str:
    return "[" + " ".join(f"{v:g}" for v in x) + "]"


def shown(machine: Machine) -> str:
    if isinstance(machine, Household):
        return f"{machine.phase.value}, selections {machine.selections}"
    assert isinstance(machine, RunCoordinator)
    return f"{machine.phase.value}" + (f": {machine.reason}" if machine.reason else "")


def replay(text: str) -> str:
    """The script with what its commands lead to now."""
    script, out = Script(), []
    blocks = text.split("\n\n")
    for block in blocks:
        commands = [line for line in block.split("\n----")[0].splitlines() if line]
        if all(line.startswith("#") for line in commands):
            out.append(block.strip("\n"))
            continue
        answers = [script.play(line) for line in commands if not line.startswith("#")]
        out.append("\n".join([*commands, "----", *answers]))
    return "\n\n".join(out) + "\n"


def scripts(folder: str) -> list[Path]:
    """Return the scripts of a folder in tests/scripts; there is at least one."""
    found = sorted((ROOT / "tests" / "scripts" / folder).glob("*.txt"))
    assert found, f"no scripts in {folder}"
    return found


def played(path: Path, *, rewrite: bool) -> str:
    """Return the script with what its commands lead to now; with `rewrite`, write that down."""
    happens = replay(path.read_text())
    if rewrite:
        path.write_text(happens)
    return happens
