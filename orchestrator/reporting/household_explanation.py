"""The explanation of one household's stage 2: read from its journal in the results of a run, and
printed.

This module decides the layout on a terminal; `agents.exchange.journal` decides what is explained.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agents.exchange.journal.entries import Entry
from agents.exchange.journal.explanation import (
    WORDS,
    ExchangeExplanation,
    NegotiationRecord,
    explain,
    negotiation_sentence,
    sentences,
)
from agents.exchange.journal.home_explanation import HomeExplanation, explain_home
from agents.exchange.journal.home_sentences import home_sentences, step_sentence
from agents.exchange.journal.sqlite import SqliteJournal
from agents.exchange.stage import remembered
from agents.plans import SlotTimes
from agents.suggestions import household_suggestion
from orchestrator.reporting.narrow_tables import fitting_columns
from orchestrator.reporting.number_wording import counted
from orchestrator.reporting.printable_text import printable
from orchestrator.results.result_files import JOURNALS_FOLDER, RUN, is_of_a_sweep, read, read_record
from orchestrator.results.slot_clock import clock_times
from protocol.errors import InputError
from protocol.messages.exchange import WHOLE

WIDEST = 80
"""Maximum width of lines in characters; longer ones are hard to read."""


_NUMBERS = ("held", "preferred", "offered", "gain")
_LEAST_NEEDED = ("round", "requester", "gain", "preferred")


HostOf = Callable[[str, Sequence[str], Mapping[str, Any]], str | None]
"""A function that returns the host of a household, given all households in tree order and the
configuration of the run; None if it is unknown."""


def find_explanation(
    results: Path, household: str, host_of: HostOf | None = None
) -> ExchangeExplanation:
    """Explain what a household did in stage 2, from its journal (`find_entries`)."""
    return explain(find_entries(results, household, host_of))


def find_home_explanation(
    results: Path, household: str, host_of: HostOf | None = None
) -> HomeExplanation:
    """Explain what a home did in an exchange of amounts, from its journal (`find_entries`)."""
    return explain_home(find_entries(results, household, host_of))


def explained(entries: Sequence[Entry]) -> ExchangeExplanation | HomeExplanation:
    """Explain entries: by devices, if the household is a home that exchanged amounts."""
    of_devices = any(entry.kind == "devices" for entry in entries)
    return explain_home(entries) if of_devices else explain(entries)


def find_entries(results: Path, household: str, host_of: HostOf | None = None) -> Sequence[Entry]:
    """Return a household's journal of stage 2, from the `begin` on.

    `results` is the folder of a run's results, a folder that a host keeps (`--keep`), or a folder
    of journals. `household` is an id or a name. Raises InputError if there are no journals, or none
    of this household; `host_of` then helps to name the host that keeps it.
    """
    names = _names(results)
    household = {name: key for key, name in names.items()}.get(household, household)
    files = sorted([*(results / JOURNALS_FOLDER).glob("*.sqlite"), *results.glob("*.sqlite")])
    if not files:
        raise InputError(_no_journals(results, household, host_of), file=results)
    known: list[str] = []
    for file in files:
        journal = SqliteJournal(file)
        entries = remembered(journal.of(household))
        known += journal.households()
        journal.close()
        if entries:
            return entries[1:]
    advice = household_suggestion(household, [*sorted(known), *names.values()])
    raise InputError(f"no journal of {household!r}: {advice}", field="--household")


def name_of(results: Path, household: str) -> str | None:
    """Return the name that people gave a household, if it has one besides its id."""
    return _names(results).get(household)


def _names(results: Path) -> dict[str, str]:
    """Return the names in the results, by household id; empty if there are no results."""
    if not (results / RUN).exists():
        return {}
    return {row.household: row.name for row in read(results).rows if row.name is not None}


def print_explanation(
    explanation: ExchangeExplanation | HomeExplanation,
    slot: int | None,
    *,
    times: SlotTimes | None = None,
    name: str | None = None,
) -> None:
    """Print the explanation in words, then the exchanges; with `slot`, every negotiation there.

    `times` are the times of slots, and `name` is the name that people gave the household, if known.
    Lines have at most WIDEST characters.
    """
    console = Console(width=min(Console().width, WIDEST))
    if name is not None:
        console.print(Text(f"{explanation.household} is {printable(name)}."))
    names = _SlotNames(times)
    if isinstance(explanation, HomeExplanation):
        _print_home(console, explanation, names=names, slot=slot)
        return
    if slot is not None:
        _print_negotiations(console, explanation, names=names, slot=slot)
        return
    for sentence in sentences(explanation):
        console.print(sentence, highlight=False, markup=False)
    if not explanation.exchanges:
        if not explanation.equal_shift:
            console.print("Nothing was exchanged.")
        return
    head = "slot" if times is None else "time"
    heads = [head, "round", "partner", "requester", *_NUMBERS]
    rows = [
        [
            _place(record, names),
            str(record.round),
            record.partner,
            explanation.household if record.asked else record.partner,
            *(f"{kwh:.4g}" for kwh in (record.given, record.preferred, record.taken)),
            f"{record.gain_share:.2%}",
        ]
        for record in explanation.exchanges
    ]
    kept = fitting_columns(heads, rows, console.width, least_needed=_LEAST_NEEDED, between=2)
    table = Table(box=None, pad_edge=False)
    for i in kept:
        table.add_column(heads[i], justify="right" if heads[i] in _NUMBERS else "left")
    for row in rows:
        table.add_row(*(Text(row[i]) for i in kept))
    console.print("\nExchanges (kWh; gain: share of the squared deviation after stage 1)")
    console.print(table)


def _print_home(
    console: Console, explanation: HomeExplanation, *, names: "_SlotNames", slot: int | None
) -> None:
    """Print what a home did: in words, then step by step; with `slot`, the steps that changed it
    there."""

    def say(sentence: str, *, indent: int = 0) -> None:
        console.print(Padding(Text(sentence), (0, 0, 0, indent)))

    if slot is None:
        for sentence in home_sentences(explanation, names.spoken):
            say(sentence)
        if explanation.steps:
            say("")
    steps = explanation.steps if slot is None else explanation.at(slot)
    if slot is not None:
        what = "" if steps else "Nothing changed for "
        say(f"{what}{explanation.household} at {names.spoken(slot)}{':' if steps else '.'}")
    for step in steps:
        say(step_sentence(step, explanation.household, names.spoken), indent=2)


def slot_times(results: Path) -> SlotTimes | None:
    """Return the times of slots if the results of a run have them."""
    if not (results / RUN).is_file():
        return None
    return read_record(results).slot_times


class _SlotNames:
    """The names of slots: their times if known, else their numbers."""

    def __init__(self, times: SlotTimes | None) -> None:
        self._times = times

    def of(self, slot: int) -> str:
        """Return the name of one slot."""
        return str(slot) if self._times is None else clock_times(self._times, slot + 1)[slot]

    def spoken(self, slot: int) -> str:
        """Return the name of one slot in a sentence."""
        return f"slot {slot}" if self._times is None else self.of(slot)


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
        console.print(f"There was no negotiation at {place}.", highlight=False)
        return
    console.print(f"{explanation.household} at {place}:", highlight=False, markup=False)
    for record in records:
        sentence = negotiation_sentence(record, explanation.household)
        console.print(sentence, highlight=False, markup=False)
        console.print(Padding(Text(_result(explanation, record)), (0, 0, 0, 2)))


def _no_journals(results: Path, household: str, host_of: HostOf | None) -> str:
    """Return why there are no journals, and which folder to name instead."""
    if is_of_a_sweep(results):
        return "is the folder of a sweep, whose runs keep no journals: coflex report shows it"
    if not (results / RUN).is_file():
        return "has no journals: name the results of a run, or a host's folder (--keep)"
    found = read(results)
    if found.exchange is None:
        return "has no journals: only runs with a stage 2 do; run again with --exchange"
    members = [row.household for row in sorted(found.rows, key=lambda row: row.position)]
    if household not in members:
        return f"has no household {household!r}: {household_suggestion(household, members)}"
    host = host_of and host_of(household, members, found.config)
    if host is None:
        return (
            "has no journals: the hosts of this run stood by, and each keeps those of its own "
            "households; on the machine of the household's host name the folder that was given as "
            "--keep (default: kept)"
        )
    return (
        f"has no journals: {household} lived on {host}, which keeps its journal; on its machine "
        f"run coflex explain kept --household {household}, or name the folder that was given as "
        "--keep instead of kept"
    )


def plain(
    explanation: ExchangeExplanation | HomeExplanation, slot: int | None = None
) -> dict[str, object]:
    """Return the explanation as nested dictionaries, for programs; with `slot`, only its part."""
    if isinstance(explanation, HomeExplanation):
        return asdict(
            explanation if slot is None else replace(explanation, steps=explanation.at(slot))
        )
    if slot is not None:
        explanation = replace(
            explanation,
            negotiations=tuple(explanation.at(slot)),
            changes=tuple(change for change in explanation.changes if change.slot == slot),
        )
    return asdict(explanation)


def _result(explanation: ExchangeExplanation, record: NegotiationRecord) -> str:
    if not record.reason:
        return "exchanged"
    decided = explanation.household if record.own else record.partner
    return f"{decided} refused: {WORDS[record.reason]}"
