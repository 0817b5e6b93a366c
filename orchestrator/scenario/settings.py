"""Settings: everything that people may choose for a run.

One model defines both the options of the command line and the keys of a TOML file. It keeps the
values as given; `scenario.py` decides what an omitted option means.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from agents.plans import ScoreMeaning
from agents.suggestions import suggestion
from orchestrator.scenario.meant_option import meant_option
from protocol.checked_input import first_mistake, in_own_style, read_toml
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

ExchangeName = Literal["mutual", "cooperative", "paper", "ttc", "equal", "off"]

# A value beyond these bounds is surely a typing error; a run with it would overflow or never end.
_COUNT_MAX = 1_000_000_000
_STEPS_MAX = 10_000_000
_PROCESSES_MAX = 10_000
_PLANS_MAX = 1_000
_NUMBER_MAX = 1e9
_SECONDS_MAX = 1e8
_SEED_MAX = 2**64 - 1


class RunSettings(BaseModel):
    """The options of `coflex run`, `coflex simulate` and `coflex orchestrate`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: Path | None = Field(
        None, description="Folder of EPOS plan files, .npz file, or homes: .toml, .json, folder."
    )
    demo: bool = Field(False, description="Generate households instead of reading a data set.")
    homes: int | None = Field(
        None,
        ge=1,
        le=_COUNT_MAX,
        description="Generate N homes with devices instead of reading a data set.",
    )
    households: int | None = Field(
        None, ge=1, le=_COUNT_MAX, description="Take the first N households."
    )
    slots: int = Field(
        144, ge=1, le=_COUNT_MAX, description="Slots per plan of generated households."
    )
    order: str | None = Field(
        None, description="Tree order: a file of household ids, one per line, or 'random'."
    )
    seed: int = Field(
        0,
        ge=0,
        le=_SEED_MAX,
        description="Seed for ties, generated households and random order.",
    )
    plans: int | None = Field(
        None,
        ge=1,
        le=_PLANS_MAX,
        description="Plans that each home makes from its devices (default: those of its file, "
        "else 10).",
    )
    score: ScoreMeaning | None = Field(
        None, description="What the number before a plan means: a preference or a cost."
    )
    children: int = Field(2, ge=1, le=10, description="Children of a household in the tree.")
    iterations: int = Field(
        50,
        ge=0,
        le=_STEPS_MAX,
        description="Iterations of stage 1; 0 skips it: households start from the plans that the "
        "data set has selected, else from the preferred ones.",
    )
    alpha: float = Field(0.0, ge=0, le=1, description="Weight of unfairness in stage 1.")
    beta: float = Field(0.0, ge=0, le=1, description="Weight of own discomfort in stage 1.")
    behaviours: Path | None = Field(
        None, description="CSV of household,alpha,beta: weights of single households."
    )
    cost: CostName = Field("var", description="Cost that measures the inefficiency.")
    scaling: ScalingName = Field("std", description="How the cost rss scales plan and target.")
    target: Path | None = Field(
        None, description="File with the target: comma-separated, or a table with times."
    )
    discomfort: DiscomfortName | None = Field(
        None, description="Measure of discomfort in stage 1 (default: rmse; for homes device)."
    )
    hard_plans: Path | None = Field(None, description="Bounds on the global plan (docs/data.md).")
    hard_costs: Path | None = Field(None, description="Bounds on the costs (docs/data.md).")
    feeders: Path | None = Field(
        None, description="CSV of household,feeder: which households share a feeder, a street."
    )
    feeder_limits: Path | None = Field(
        None,
        description="Limits on what the households at a feeder take together (docs/data.md).",
    )
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
    exchange: ExchangeName = Field(
        "mutual", description="Rule of stage 2, equal (one equal shift, no pairs), or off."
    )
    exchange_every: int = Field(
        0,
        ge=0,
        le=_STEPS_MAX,
        description="Exchange after every so many iterations, and plan on from the schedules "
        "(0: only after the last).",
    )
    content: ContentName | None = Field(
        None,
        description="What changes hands: values at single slots, bundles that keep own energy, or "
        "amounts that devices follow (default: amounts for homes, else bundle; slot for paper and "
        "ttc).",
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
        description="Ask only for values this close to the preferred one, kWh (default: any "
        "that is closer).",
    )
    min_gain: float | None = Field(
        None,
        ge=0,
        le=_NUMBER_MAX,
        description="Least gain worth an exchange, as a share of the mean squared deviation "
        "(default: 0.02 for slot; for bundle 0.5, cooperative 0.1).",
    )
    rounds: int | None = Field(
        None,
        ge=1,
        le=_STEPS_MAX,
        description="Maximum number of rounds of stage 2 (default 50; 10 for paper).",
    )
    exchange_order: OrderName | None = Field(
        None,
        description="Households exchange in waves, all at once, or in turn "
        "(default: in waves where results then repeat at little cost).",
    )
    locks: LocksName = Field(
        "slot", description="A lease reserves its slot only, or the whole household."
    )
    matchmakers: int = Field(
        1,
        ge=0,
        le=_PROCESSES_MAX,
        description="Matchmakers that share the slots, or the households of a round (0, for "
        "bundles: none, partners by a public draw).",
    )
    mandates: Path | None = Field(
        None, description="TOML file: what households allow their proxies."
    )
    participation: float = Field(
        1.0, ge=0, le=1, description="Share of the households that exchange, drawn by the seed."
    )
    trace: bool = Field(False, description="Write exchanges.csv: households report each exchange.")
    save_schedules: bool = Field(
        False, description="Write schedules/: each host saves those of its households."
    )
    isolation: IsolationName = Field(
        "auto",
        description="How households share processes (auto: process for up to 500 households, "
        "subtree for more).",
    )
    hosts: int | None = Field(
        None, ge=1, le=_PROCESSES_MAX, description="Processes for task and subtree isolation."
    )
    nats: str | None = Field(
        None,
        description="URL of a NATS server, or comma-separated URLs of a cluster (default: "
        "embedded).",
    )
    keys: Path | None = Field(
        None, description="Folder of keys for that server, made by `coflex keys`."
    )
    insecure: bool = Field(False, description="Allow a server on another machine without keys.")
    run: str | None = Field(None, description="Id of the run (default: a new one).")
    external: str | None = Field(
        None,
        description="Households that other people run, comma-separated; they join by themselves, "
        "each from a host of its own name (or ID@HOST).",
    )
    deadline: float = Field(
        60.0, gt=0, le=_SECONDS_MAX, description="Seconds without progress that end a run."
    )
    round_limit: float | None = Field(
        None,
        gt=0,
        le=_SECONDS_MAX,
        description="Seconds that an iteration or round may take (default: ten times --deadline).",
    )
    limit: float | None = Field(
        None, gt=0, le=_SECONDS_MAX, description="Seconds that the whole run may take."
    )
    out: Path = Field(Path("results"), description="Folder for the results.")

    @field_validator("*", mode="before")
    @classmethod
    def _no_number_is_a_switch(cls, value: object, info: ValidationInfo) -> object:
        """Refuse `true` where a number is expected, and a number where `true` or `false` is."""
        wanted = cls.model_fields[info.field_name or ""].annotation
        if isinstance(value, bool) and wanted is not bool:
            raise ValueError(f"{str(value).lower()} is for switches; this option takes a value")
        if wanted is bool and isinstance(value, (int, float)) and not isinstance(value, bool):
            raise ValueError(f"{value} is a number: use true or false")
        return value

    @property
    def content_exchanged(self) -> ContentName:
        """The content of stage 2: as chosen, or by the rule."""
        return self.content or ("slot" if self.exchange in ("paper", "ttc") else "bundle")

    @property
    def externals(self) -> tuple[str, ...]:
        """Ids of the households that other people run."""
        return tuple(self.external_hosts)

    @property
    def external_hosts(self) -> dict[str, str]:
        """The host of each household that other people run: its own name, unless another one is
        named as in `h7@home-7`."""
        entries = (entry.strip().partition("@") for entry in (self.external or "").split(","))
        return {name: host or name for name, _, host in entries if name}


def read_options(config: Path) -> dict[str, Any]:
    """Read options from a TOML file, by the names of the settings.

    Raises InputError if the file cannot be read, or if it has a table.
    """
    values = read_toml(config)
    for key, value in values.items():
        if isinstance(value, dict):
            reason = f"options are lines such as beta = 0.5, not tables: remove the line [{key}]"
            raise InputError(reason, file=config, field=key)
    return {key.replace("-", "_"): value for key, value in values.items()}


def settings_from(options: Mapping[str, Any], config: Path | None = None) -> RunSettings:
    """Return the settings given in a TOML file and as options; options take precedence.

    Raises InputError, which names the wrong option, or the file and the wrong key in it.
    """
    values = {} if config is None else read_options(config)
    given = {key: value for key, value in options.items() if value is not None}
    try:
        settings = RunSettings.model_validate({**values, **given})
    except ValidationError as error:
        field, message, kind = first_mistake(error)
        if kind == "extra_forbidden":
            known = RunSettings.model_fields
            meant = meant_option(field, known)
            advice = f"did you mean {meant!r}?" if meant else suggestion(field, known)
            message = f"no such option: {advice}"
        from_file = field in values and field not in given
        raise InputError(
            in_own_style(message),
            file=config if from_file else None,
            field=field if from_file else "--" + field.replace("_", "-"),
        ) from error
    if settings.alpha + settings.beta > 1:
        raise InputError("alpha + beta must be at most 1", field="--alpha, --beta")
    sources = (settings.demo, settings.dataset is not None, settings.homes is not None)
    if sum(sources) != 1:
        reason = "give either a data set or --demo, or generate homes with --homes"
        raise InputError(reason, field="--dataset")
    return settings
