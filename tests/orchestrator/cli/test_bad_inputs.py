"""Bad inputs of all commands: exit status 2, one line that names the place, and no files
written."""

import shlex
import sys
from pathlib import Path

import pytest

from orchestrator.cli import main

RUN = "simulate --demo --households 4 --slots 36"
OPTIONS = [
    # command line, error message
    ("simulate", "give either a data set or --demo"),
    ("simulate --demo --dataset plans", "give either a data set or --demo"),
    ("simulate --dataset nowhere", "nowhere"),
    (f"{RUN} --betta 1", "field --betta: no such option: did you mean --beta?"),
    (f"{RUN} --iteration 1", "did you mean --iterations?"),
    (f"{RUN} --zzz", "field --zzz: no such option: see --help"),
    (f"{RUN} extra", "unexpected extra argument"),
    (f"{RUN} --beta", "requires an argument"),
    (f"{RUN} --beta much", "field --beta: "),
    (f"{RUN} --beta 1.5", "field --beta: must be less than or equal to 1"),
    (f"{RUN} --beta -0.1", "field --beta: must be greater than or equal to 0"),
    (f"{RUN} --beta nan", "field --beta: "),
    (f"{RUN} --alpha 0.6 --beta 0.6", "alpha + beta must be at most 1"),
    (f"{RUN} --seed -1", "field --seed: "),
    (f"{RUN} --seed 18446744073709551616", "field --seed: "),
    (f"{RUN} --seed 1.5", "field --seed: "),
    (f"{RUN} --children 0", "field --children: "),
    (f"{RUN} --children 11", "field --children: "),
    (f"{RUN} --iterations 0", "field --iterations: "),
    (f"{RUN} --iterations 1e3", "field --iterations: "),
    (f"{RUN} --iterations 100000000000", "field --iterations: "),
    (f"{RUN} --cost fish", "field --cost: "),
    (f"{RUN} --cost rss", "needs a target"),
    (f"{RUN} --cost rss --scaling none", "field --scaling: "),
    (f"{RUN} --discomfort pain", "field --discomfort: "),
    (f"{RUN} --reorganise often", "field --reorganise: "),
    (f"{RUN} --reorganise periodically --period 0", "field --period: "),
    (f"{RUN} --exchange maybe", "field --exchange: "),
    (f"{RUN} --disclose all", "field --disclose: "),
    (f"{RUN} --tolerance -1", "field --tolerance: "),
    (f"{RUN} --tolerance 1e308", "field --tolerance: "),
    (f"{RUN} --tolerance inf", "field --tolerance: "),
    (f"{RUN} --min-gain 1e308", "field --min-gain: "),
    (f"{RUN} --rounds 0", "field --rounds: "),
    (f"{RUN} --locks door", "field --locks: "),
    (f"{RUN} --matchmakers 0", "field --matchmakers: "),
    (f"{RUN} --matchmakers 1000000", "field --matchmakers: "),
    (f"{RUN} --participation 2", "field --participation: "),
    (f"{RUN} --isolation total", "field --isolation: "),
    (f"{RUN} --hosts 0", "field --hosts: "),
    (f"{RUN} --deadline 0", "field --deadline: "),
    (f"{RUN} --deadline 1e308", "field --deadline: "),
    (f"{RUN} --run a.b", "is not a name"),
    (f"{RUN} --order nowhere", "nowhere: no such file"),
    (f"{RUN} --behaviours nowhere", "nowhere: no such file"),
    (f"{RUN} --hard-plans nowhere", "nowhere: no such file"),
    (f"{RUN} --mandates nowhere", "nowhere, field --mandates: no such file"),
    (f"{RUN} --config nowhere", "nowhere: no such file"),
    (f"{RUN} --out full", "full: has other files (mine.txt)"),
    (f"{RUN} --out full/mine.txt", "full/mine.txt: cannot be written"),
    ("simulate --demo --households 0", "field --households: "),
    ("simulate --demo --households 100000000", "need about 2.3 TB of memory"),
    ("simulate --demo --slots 100000000", "of memory, and this machine has"),
    ("generate --households 100000000 --out new", "need about 2.3 TB of memory"),
    ("run --demo --households 4 --hosts 2", "has no effect"),
    ("run --demo --external h1", "field --nats: name the NATS server that"),
    ("show", "field results: is required"),
    ("show nowhere", "nowhere/run.json: no such file"),
    ("show full", "full/run.json: no such file"),
    ("show full full", "unexpected extra argument"),
    ("report nowhere", "nowhere/run.json: no such file"),
    ("explain nowhere", "field --household: is required"),
    ("explain nowhere --household h1", "has no journals"),
    ("explain full --household h1 --slot -1", "field --slot: "),
    ("compare nowhere", "give two or more different folders"),
    ("convert nowhere new", "nowhere"),
    ("convert", "is required"),
    ("verify", "is required"),
    ("generate", "field --out: is required"),
    ("sweep --demo true --betta 1", "did you mean --beta?"),
    ("sweep --demo true --beta 0,", "a value is missing next to a comma"),
    ("sweep --demo true --beta 0,2", "field --beta: "),
    ("sweep nowhere", "nowhere: no such file"),
    ("sweep --demo true --workers 0", "field --workers: "),
    ("paper --households 0", "nothing to run"),
    ("status", "field --nats: is required"),
    ("abort r", "field --nats: is required"),
    ("host --nats nats://127.0.0.1:9", "give either a name or --claim"),
    ("matchmaker", "field --nats: is required"),
    ("keys new --hosts a --count 2", "give only one of --hosts"),
    ("keys new --count 0", "field --count: "),
    ("baselines --demo --households 0", "field --households: "),
    ("baselines --demo --exact-seconds -1", "field --exact-seconds: "),
    ("orchestrate --demo --households 4", "field --hosts: "),
    ("conformance", "is required"),
    ("simulat --demo", "no such command"),
]
FILES = [
    # option, content of its file, error message
    ("config", "[run]\nbeta = 0.5\n", "field run: options are lines"),
    ("config", "iterations = true\n", "field iterations: true is for switches"),
    ("config", "trace = 1\n", "field trace: 1 is a number"),
    ("config", "betta = 1\n", "field betta: no such option: did you mean 'beta'?"),
    ("config", "beta = \n", "not a TOML file"),
    ("config", 'exchange = "off"\ntrace = true\n', "field trace: has no effect"),
    ("order", "h0\nh1\nh2\nh9\n", "line 4: no household 'h9'"),
    ("order", "h0\nh0\n", "line 2: h0 is already in line 1"),
    ("order", "h0\n", "3 households are missing"),
    ("behaviours", "h0,1\n", "line 1: expected household,alpha,beta"),
    ("behaviours", "h0,a,b\n", "line 1: alpha and beta must be numbers"),
    ("behaviours", "h0,0.9,0.9\n", "line 1: alpha and beta"),
    ("hard-plans", "1,2\n0,0\n", "line 1: 2 values, expected 36"),
    ("hard-costs", "1,2,3,4\n0,0,0,9\n", "line 2: modes must be"),
    ("target", "1,2\n", "file"),
    ("mandates", "[agent_0]\nbeta = 0.5\n", "field agent_0: .*did you mean 'h0'?"),
    ("mandates", "[h0]\nbetta = 0.5\n", "field h0.betta: no such key: did you mean 'beta'?"),
    ("mandates", "[h0]\nnever = [99]\n", "field h0.never: slot 99 is beyond"),
    ("mandates", '["\\u001b[31m"]\n', "\\x1b[31m"),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COFLEX_NATS", raising=False)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    return tmp_path


@pytest.mark.parametrize(("typed", "message"), OPTIONS)
def test_a_bad_command_line_is_refused_in_one_line(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    typed: str,
    message: str,
) -> None:
    check(folder, monkeypatch, capsys, typed=typed, message=message)


@pytest.mark.parametrize(("option", "content", "message"), FILES)
def test_a_bad_file_is_refused_in_one_line(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    option: str,
    content: str,
    message: str,
) -> None:
    (folder / "file").write_text(content)
    typed = f"{RUN} --{option} file"
    for part in message.split(".*"):
        check(folder, monkeypatch, capsys, typed=typed, message=part)


def check(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    typed: str,
    message: str,
) -> None:
    """Run a command, and check its status, its single line, and that it has written nothing."""
    before = sorted(folder.rglob("*"))
    monkeypatch.setattr(sys, "argv", ["coflex", *shlex.split(typed)])
    with pytest.raises(SystemExit) as end:
        main()
    error = capsys.readouterr().err
    assert end.value.code == 2, error
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert "\x1b" not in error
    assert message in error
    assert sorted(folder.rglob("*")) == before
