"""One household's journal found among the results of a run, and its account on a terminal."""

from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from agents.exchange.journal.explanation import (
    WORDS,
    ExchangeExplanation,
    NegotiationRecord,
    explain,
    sentences,
)
from agents.exchange.journal.sqlite import SqliteJournal
from agents.exchange.stage import remembered
from orchestrator.results.run_results import JOURNALS_FOLDER
from protocol.errors import InputError


def find_account(results: Path, household: str) -> ExchangeExplanation:
    """The account of a household in the folder of a run's results; InputError if there is none."""
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
    some = ", ".join(sorted(known)[:8])
    raise InputError(f"no journal of {household!r}: there are {some} ...", field="--household")


def print_account(account: ExchangeExplanation, slot: int | None) -> None:
    """The account in words, then its exchanges; only what concerns `slot`, if one is named."""
    console = Console()
    if slot is None:
        for sentence in sentences(account):
            console.print(sentence, highlight=False)
    deeds = account.exchanges if slot is None else account.at(slot)
    if not deeds:
        console.print("Nothing was exchanged." if slot is None else f"Nothing at slot {slot}.")
        return
    table = Table("round", "slot", "partner", "asked by", "from kWh", "to kWh", "gain kWh²")
    if slot is not None:
        table.add_column("result")
    for deed in deeds:
        row = [
            str(deed.round),
            str(deed.slot),
            deed.partner,
            account.household if deed.asked else deed.partner,
            *(f"{value:.4g}" for value in (deed.given, deed.taken, deed.gain)),
        ]
        table.add_row(*row, *([] if slot is None else [_result(account, deed)]))
    console.print(table)


def plain(account: ExchangeExplanation) -> dict[str, object]:
    """The account for programs."""
    return asdict(account)


def _result(account: ExchangeExplanation, deed: NegotiationRecord) -> str:
    if not deed.reason:
        return "exchanged"
    return f"{account.household if deed.own else deed.partner} said no: {WORDS[deed.reason]}"
