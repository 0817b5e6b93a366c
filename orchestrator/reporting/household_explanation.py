"""One household's account of stage 2: found in its journal among the results of a run, and printed.

Decides the layout on a terminal; what is explained is decided in `agents.exchange.journal`.
"""

from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agents.exchange.journal.explanation import (
    WORDS,
    ExchangeExplanation,
    NegotiationRecord,
    explain,
    negotiation_sentence,
    sentences,
)
from agents.exchange.journal.sqlite import SqliteJournal
from agents.exchange.stage import remembered
from agents.plans import SlotTimes
from agents.suggestions import household_suggestion
from orchestrator.reporting.printable_text import printable
from orchestrator.reporting.wording import counted
from orchestrator.results.result_files import JOURNALS_FOLDER, RUN, read, read_record
from orchestrator.results.slot_clock import clock_times
from protocol.errors import InputError
from protocol.messages.exchange import WHOLE

WIDEST = 80
"""Columns; longer lines are hard to read."""


def find_explanation(results: Path, household: str) -> ExchangeExplanation:
    """Explain what a household did, from the journals in the folder of a run's results, in what a
    host keeps (`--keep`), or in a folder of journals itself.

    `household` is an id or a name. Raises InputError if there are no journals, or none of it.
    """
    names = _names(results)
    household = {name: key for key, name in names.items()}.get(household, household)
    files = sorted([*(results / JOURNALS_FOLDER).glob("*.sqlite"), *results.glob("*.sqlite")])
    if not files:
        raise InputError(_no_journals(results), file=results)
    known: list[str] = []
    for file in files:
        journal = SqliteJournal(file)
        entries = remembered(journal.of(household))
        known += journal.households()
        journal.close()
        if entries:
            return explain(entries[1:])
    advice = household_suggestion(household, sorted(known))
    raise InputError(f"no journal of {household!r}: {advice}", field="--household")


def name_of(results: Path, household: str) -> str | None:
    """Return the name of a household as its people wrote it, if it has one beside its id."""
    return _names(results).get(household)


def _names(results: Path) -> dict[str, str]:
    """Return the names in the results, by household id; empty if the run ended without results."""
    if not (results / RUN).exists():
        return {}
    return {row.household: row.name for row in read(results).rows if row.name is not None}


def print_explanation(
    explanation: ExchangeExplanation,
    slot: int | None,
    *,
    times: SlotTimes | None = None,
    name: str | None = None,
) -> None:
    """Print the explanation in words, then the exchanges; of `slot` alone, every negotiation.

    `times` says when slots are, and `name` what people call the household, if that is known. Lines
    have at most 80 columns.
    """
    console = Console(width=min(Console().width, WIDEST))
    if name is not None:
        console.print(Text(f"{explanation.household} is {printable(name)}."))
    names = _SlotNames(times)
    if slot is not None:
        _print_negotiations(console, explanation, names=names, slot=slot)
        return
    for sentence in sentences(explanation):
        console.print(sentence, highlight=False, markup=False)
    if not explanation.exchanges:
        console.print("Nothing was exchanged.")
        return
    head = "slot" if times is None else "time"
    table = Table(head, "round", "partner", "asked by", box=None, pad_edge=False)
    for number in ("held", "preferred", "offered", "gain"):
        table.add_column(number, justify="right")
    for record in explanation.exchanges:
        table.add_row(
            _place(record, names),
            str(record.round),
            Text(record.partner),
            Text(explanation.household if record.asked else record.partner),
            *(f"{kwh:.4g}" for kwh in (record.given, record.preferred, record.taken)),
            f"{record.gain_share:.2%}",
        )
    console.print("\nExchanges (kWh; gain: share of the squared deviation after stage 1)")
    console.print(table)


def slot_times(results: Path) -> SlotTimes | None:
    """Return when the slots of a run are, as far as the folder with its results says so."""
    if not (results / RUN).is_file():
        return None
    return read_record(results).slot_times


class _SlotNames:
    """What slots are called: by their times where those are known, else by number."""

    def __init__(self, times: SlotTimes | None) -> None:
        self._times = times

    def of(self, slot: int) -> str:
        """Return the name of one slot."""
        return str(slot) if self._times is None else clock_times(self._times, slot + 1)[slot]


def _place(record: NegotiationRecord, names: _SlotNames) -> str:
    """Return what was exchanged: the name of the slot, or how many slots a bundle has."""
    return names.of(record.slot) if record.slot != WHOLE else counted(len(record.slots), "slot")


def _print_negotiations(
    console: Console, explanation: ExchangeExplanation, *, names: _SlotNames, slot: int
) -> None:
    name = names.of(slot)
    place = f"slot {slot}" if name == str(slot) else f"slot {slot} ({name})"
    records = explanation.at(slot)
    if not records:
        console.print(f"Nothing at {place}.", highlight=False)
        return
    console.print(f"{explanation.household} at {place}:", highlight=False, markup=False)
    for record in records:
        said = negotiation_sentence(record, explanation.household)
        console.print(said, highlight=False, markup=False)
        console.print(Padding(Text(_result(explanation, record)), (0, 0, 0, 2)))


def _no_journals(results: Path) -> str:
    """Return why there are no journals, and where they are."""
    if not (results / RUN).is_file():
        return "no journals there: name the results of a run, or what a host keeps (--keep)"
    if read_record(results).exchange is None:
        return "no journals there: only a run with a stage 2 has them; run again with --exchange"
    return (
        "no journals there: the hosts of this run stood by, and each keeps its own: name the "
        "folder that the household's host has as --keep"
    )


def plain(explanation: ExchangeExplanation, slot: int | None = None) -> dict[str, object]:
    """Return the explanation as nested dictionaries, for programs; only what concerns `slot`, if
    given."""
    if slot is not None:
        explanation = replace(
            explanation,
            deeds=tuple(explanation.at(slot)),
            changes=tuple(change for change in explanation.changes if change.slot == slot),
        )
    return asdict(explanation)


def _result(explanation: ExchangeExplanation, record: NegotiationRecord) -> str:
    if not record.reason:
        return "exchanged"
    decided = explanation.household if record.own else record.partner
    return f"{decided} said no: {WORDS[record.reason]}"
