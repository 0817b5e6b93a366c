"""Settings: everything a person may choose for a run.

One model defines both the options of the command line and the keys of a TOML file. It holds what
people gave; what an option that was left out means is decided in scenario.py.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from agents.plans import ScoreMeaning
from agents.suggestions import suggestion
from protocol.checked_input import first_mistake, read_toml
from protocol.errors import InputError
from protocol.terms import (
    ContentName,
    CostName,
    DisclosureName,
    DiscomfortName,
    LocksName,
    OrderName,
    ScalingName,
    StrategyName,
)

IsolationName = Literal["auto", "process", "task", "subtree"]

ExchangeName = Literal["mutual", "cooperative", "paper", "off"]

# Beyond these, a value is surely a slip of the pen; it would overflow or never end.
_COUNT_MAX = 1_000_000_000
_STEPS_MAX = 10_000_000
_PROCESSES_MAX = 10_000
_NUMBER_MAX = 1e9
_SECONDS_MAX = 1e8
_SEED_MAX = 2**64 - 1


class RunSettings(BaseModel):
    """The options of `coflex run`, `coflex simulate` and `coflex orchestrate`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: Path | None = Field(None, description="Folder of EPOS plan files, or a .npz file.")
    demo: bool = Field(False, description="Generate the households instead.")
    households: int | None = Field(
        None, ge=1, le=_COUNT_MAX, description="Take the first N households."
    )
    slots: int = Field(144, ge=1, le=_COUNT_MAX, description="Slots of generated households.")
    order: str | None = Field(
        None, description="Tree order: a file of household ids, one per line, or 'random'."
    )
    seed: int = Field(
        0, ge=0, le=_SEED_MAX, description="Seed of ties, generated households, random order."
    )
    score: ScoreMeaning | None = Field(
        None, description="What the number before a plan means: a preference or a cost."
    )
    children: int = Field(2, ge=1, le=10, description="Children of a household in the tree.")
    iterations: int = Field(50, ge=1, le=_STEPS_MAX, description="Iterations of stage 1.")
    alpha: float = Field(0.0, ge=0, le=1, description="Weight of unfairness.")
    beta: float = Field(0.0, ge=0, le=1, description="Weight of own discomfort.")
    behaviours: Path | None = Field(
        None, description="CSV of household,alpha,beta: weights of single households."
    )
    cost: CostName = Field("var", description="Inefficiency of the global plan.")
    scaling: ScalingName = Field("std", description="How the cost rss scales plan and target.")
    target: Path | None = Field(None, description="File with the target, comma separated.")
    discomfort: DiscomfortName = Field("rmse", description="Discomfort that stage 1 weighs.")
    hard_plans: Path | None = Field(None, description="Bounds on the global plan (docs/data.md).")
    hard_costs: Path | None = Field(None, description="Bounds on the costs (docs/data.md).")
    reorganise: StrategyName = Field("never", description="When the tree is reorganised.")
    period: int = Field(
        10, ge=1, le=_STEPS_MAX, description="Iterations between periodical reorganisations."
    )
    offset: int = Field(
        0, ge=0, le=_STEPS_MAX, description="Iteration whose selection 'memorise' keeps."
    )
    memorise: bool = Field(False, description="Return to the kept selection on a new tree.")
    threshold: float = Field(
        0.0, ge=0, le=_NUMBER_MAX, description="Relative change for cost-reduction."
    )
    exchange: ExchangeName = Field("mutual", description="Rule of stage 2, or off.")
    content: ContentName = Field(
        "slot",
        description="What changes hands: values at single slots, or bundles that keep own energy.",
    )
    energy_drift: float | None = Field(
        None,
        ge=0,
        le=_NUMBER_MAX,
        description="kWh that a household's energy may move (default: 0.05 for bundle, else any).",
    )
    disclose: DisclosureName = Field("limit", description="What an offer says (docs/privacy.md).")
    tolerance: float | None = Field(
        None,
        ge=0,
        le=_NUMBER_MAX,
        description="kWh from the preferred value; none: anything that brings closer.",
    )
    min_gain: float | None = Field(
        None,
        ge=0,
        le=_NUMBER_MAX,
        description="Least gain worth an exchange, share of mean squared deviation "
        "(default 0.02; 0.5 for bundle).",
    )
    rounds: int | None = Field(
        None,
        ge=1,
        le=_STEPS_MAX,
        description="Rounds of the exchange at most (default 50; 10 for paper).",
    )
    exchange_order: OrderName | None = Field(
        None,
        description="In waves or in turn: repeatable; or all at once (default: waves where cheap).",
    )
    locks: LocksName = Field("slot", description="What a lease marks busy.")
    matchmakers: int = Field(
        1, ge=1, le=_PROCESSES_MAX, description="Matchmakers that share the slots."
    )
    mandates: Path | None = Field(None, description="TOML: what households allow their proxies.")
    participation: float = Field(
        1.0, ge=0, le=1, description="Share of the households that exchange, drawn by the seed."
    )
    trace: bool = Field(False, description="Write exchanges.csv: households tell of each exchange.")
    save_schedules: bool = Field(
        False, description="Write schedules/: each host writes those of its households."
    )
    isolation: IsolationName = Field(
        "auto", description="Households a process: one, or many (auto: one up to 500)."
    )
    hosts: int | None = Field(
        None, ge=1, le=_PROCESSES_MAX, description="Processes for task and subtree isolation."
    )
    nats: str | None = Field(
        None,
        description="URL of a NATS server, or of a cluster's, comma separated (default: embedded).",
    )
    keys: Path | None = Field(None, description="Keys for that server, made by `coflex keys`.")
    insecure: bool = Field(False, description="Allow a server elsewhere without keys.")
    run: str | None = Field(None, description="Id of the run (default: a new one).")
    external: str | None = Field(
        None,
        description="Households that other people run, comma separated; they join by themselves.",
    )
    deadline: float = Field(
        60.0, gt=0, le=_SECONDS_MAX, description="Seconds without progress that end a run."
    )
    out: Path = Field(Path("results"), description="Folder for the results.")

    @field_validator("*", mode="before")
    @classmethod
    def _no_number_is_a_switch(cls, value: object, info: ValidationInfo) -> object:
        """Refuse `true` where a number is expected, and a number where `true` or `false` is."""
        wanted = cls.model_fields[info.field_name or ""].annotation
        if isinstance(value, bool) and wanted is not bool:
            raise ValueError(f"{str(value).lower()} is a switch, and this option is none")
        if wanted is bool and isinstance(value, (int, float)) and not isinstance(value, bool):
            raise ValueError(f"{value} is a number: say true or false")
        return value

    @property
    def externals(self) -> tuple[str, ...]:
        """Ids of the households that other people run."""
        return tuple(name.strip() for name in (self.external or "").split(",") if name.strip())


def read_options(config: Path) -> dict[str, Any]:
    """Read options from a TOML file, by the names of the settings.

    Raises InputError if the file cannot be read, or if options stand in a table.
    """
    values = read_toml(config)
    for key, value in values.items():
        if isinstance(value, dict):
            reason = f"options are lines such as beta = 0.5, not a table: remove the line [{key}]"
            raise InputError(reason, file=config, field=key)
    return {key.replace("-", "_"): value for key, value in values.items()}


def settings_from(options: Mapping[str, Any], config: Path | None = None) -> RunSettings:
    """Return the settings given in a TOML file and as options; options win.

    Raises InputError that names the option, or the file and its key, that is wrong.
    """
    values = {} if config is None else read_options(config)
    given = {key: value for key, value in options.items() if value is not None}
    try:
        settings = RunSettings.model_validate({**values, **given})
    except ValidationError as error:
        field, message, kind = first_mistake(error)
        if kind == "extra_forbidden":
            message = f"no such option: {suggestion(field, RunSettings.model_fields)}"
        from_file = field in values and field not in given
        raise InputError(
            _plain(message),
            file=config if from_file else None,
            field=field if from_file else "--" + field.replace("_", "-"),
        ) from error
    if settings.alpha + settings.beta > 1:
        raise InputError("alpha + beta must be at most 1", field="--alpha, --beta")
    if settings.demo == (settings.dataset is not None):
        raise InputError("give either a data set or --demo", field="--dataset")
    return settings


def _plain(message: str) -> str:
    """Return a message of pydantic in the style of ours: no capital, no "Input"."""
    message = message.removeprefix("Value error, ").replace("Input should be", "must be")
    return message[:1].lower() + message[1:]
