"""One household's account of stage 2: found in its journal among the results of a run, and printed.

Decides the layout on a terminal; what is explained is decided in `agents.exchange.journal`.
"""

from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agents.exchange.journal.explanation import (
    WORDS,
    ExchangeExplanation,
    NegotiationRecord,
    explain,
    sentences,
)
from agents.exchange.journal.sqlite import SqliteJournal
from agents.exchange.stage import remembered
from agents.suggestions import household_suggestion
from orchestrator.reporting.printable_text import printable
from orchestrator.results.result_files import JOURNALS_FOLDER, RUN, read
from protocol.errors import InputError


def find_explanation(results: Path, household: str) -> ExchangeExplanation:
    """Explain what a household did, from the journals in the folder of a run's results.

    `household` is an id or a name. Raises InputError if there are no journals, or none of it.
    """
    names = _names(results)
    household = {name: key for key, name in names.items()}.get(household, household)
    files = sorted((results / JOURNALS_FOLDER).glob("*.sqlite"))
    if not files:
        reason = "no journals there: only a run with a stage 2 has them; run again"
        raise InputError(reason, file=results)
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
    explanation: ExchangeExplanation, slot: int | None, *, name: str | None = None
) -> None:
    """Print the explanation in words, then the exchanges; only what concerns `slot`, if given."""
    console = Console()
    if name is not None:
        console.print(Text(f"{explanation.household} is {printable(name)}."))
    if slot is None:
        for sentence in sentences(explanation):
            console.print(Text(printable(sentence)), highlight=False)
    records = explanation.exchanges if slot is None else explanation.at(slot)
    if not records:
        console.print("Nothing was exchanged." if slot is None else f"Nothing at slot {slot}.")
        return
    table = Table("round", "slot", "partner", "asked by", "from kWh", "to kWh", "gain kWh²")
    if slot is not None:
        table.add_column("result")
    for record in records:
        row = [
            str(record.round),
            str(record.slot),
            record.partner,
            explanation.household if record.asked else record.partner,
            *(f"{value:.4g}" for value in (record.given, record.taken, record.gain)),
        ]
        table.add_row(*row, *([] if slot is None else [_result(explanation, record)]))
    console.print(table)


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
