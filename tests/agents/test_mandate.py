"""Mandates from a file, and journals of households on disk."""

from pathlib import Path

import pytest

from agents.exchange.journal.entries import Entry
from agents.exchange.journal.sqlite import SqliteJournal
from agents.mandate import Mandate, load_mandates
from protocol.errors import InputError, RunError


def load(tmp_path: Path, text: str) -> dict[str, Mandate]:
    file = tmp_path / "mandates.toml"
    file.write_text(text)
    return load_mandates(file, ["h1", "h2"], 4)


def test_one_table_per_household(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        """
        [h1]
        rule = "cooperative"
        never = [0, 3]
        energy-drift = 0.5
        discomfort = 1
        [h2]
        exchange = false
        """,
    )
    assert found == {
        "h1": Mandate(
            rule="cooperative", never=frozenset({0, 3}), energy_drift=0.5, discomfort=1.0
        ),
        "h2": Mandate(exchange=False),
    }


def test_a_table_for_all_and_one_that_takes_precedence(tmp_path: Path) -> None:
    found = load(tmp_path, "[default]\nbeta = 0.5\nnever = [1]\n[h2]\nbeta = 0.25\n")
    assert found == {
        "h1": Mandate(beta=0.5, never=frozenset({1})),
        "h2": Mandate(beta=0.25, never=frozenset({1})),
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[h9]\n", "field h9: no such household in this run: there are h1, h2"),
        ("[agent_1]\n", "field agent_1: .*did you mean 'h1'"),
        ("[h1]\nbetta = 1\n", "field h1.betta: no such key: did you mean 'beta'"),
        ("[h1]\nexchange = 1\n", "field h1.exchange: 1: this key is true or false"),
        ("[h1]\nbeta = true\n", "field h1.beta: true: this key is no switch"),
        ("[default]\nbeta = 2\n", "field default: beta must be in"),
        ("h1 = 3\n", "field h1: a mandate is a TOML table"),
        ("[h1]\nrule = 'greedy'\n", "field h1.rule: "),
        ("[h1]\nrules = 'mutual'\n", "field h1.rules: no such key: did you mean 'rule'"),
        ("[h1]\nnever = [4]\n", "field h1.never: slot 4 is beyond the last one, 3"),
        ("[h1]\nnever = ['x']\n", "field h1.never"),
        ("[h1]\nenergy_drift = -1.0\n", "energy_drift must be"),
        ("[h1]\nenergy_drift = nan\n", "energy_drift must be"),
        ("[h1]\nbeta = 1.5\n", "beta must be in"),
        ("[h1]\nalpha = 0.7\nbeta = 0.7\n", "alpha \\+ beta"),
        ("[h1\n", "not a TOML file"),
    ],
)
def test_mistakes_are_reported_with_their_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        load(tmp_path, text)
    assert "mandates.toml" in str(caught.value)


def test_only_committed_entries_last(tmp_path: Path) -> None:
    file = tmp_path / "journal.db"
    first = SqliteJournal(file)
    entry = Entry(
        household="h1",
        kind="proposed",
        round=2,
        slot=5,
        host="host",
        partner="h2",
        epoch=2**62,
        lease=9,
        given=0.1,
        taken=0.3,
        change=-1e-17,
        reason="no joint gain",
        data=b"\x00x",
    )
    first.append(entry)
    first.append(Entry("h2", "refused"))
    first.append(entry._replace(kind="failed"))
    first.commit()
    first.append(Entry("h1", "over"))  # and the process is killed
    again = SqliteJournal(file)
    assert again.entries() == {
        "h1": [entry, entry._replace(kind="failed")],
        "h2": [Entry("h2", "refused")],
    }
    again.close()


def test_a_journal_that_cannot_be_written_fails_the_run(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "nowhere" / "journal.db")
    assert journal.entries() == {}
    journal.append(Entry("h1", "over"))
    with pytest.raises(RunError, match="the journal cannot be kept"):
        journal.commit()
