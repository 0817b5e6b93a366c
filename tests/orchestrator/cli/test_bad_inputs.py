"""Bad inputs of all commands: exit status 2, one line that names the place, and no files
written."""

import shlex
import sys
from collections import Counter
from pathlib import Path

import pytest

from orchestrator.cli import main
from orchestrator.cli.application import MODULES

RUN = "simulate --demo --households 4 --slots 36"
NOBODY = "nats://127.0.0.1:9"
"""A server that is not asked, because something else is wrong."""
ORCHESTRATE = "orchestrate --demo --households 4 --hosts 2"
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
    (f"{RUN} --iterations -1", "field --iterations: "),
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
    (f"{RUN} --matchmakers -1", "field --matchmakers: "),
    (f"{RUN} --content slot --matchmakers 0", "field --matchmakers: "),
    (f"{RUN} --matchmakers 1000000", "field --matchmakers: "),
    (f"{RUN} --participation 2", "field --participation: "),
    (f"{RUN} --isolation total", "field --isolation: "),
    (f"{RUN} --hosts 0", "field --hosts: "),
    (f"{RUN} --deadline 0", "field --deadline: "),
    (f"{RUN} --deadline 1e308", "field --deadline: "),
    (f"{RUN} --round-limit 0", "field --round-limit: "),
    (f"{RUN} --round-limit 1e308", "field --round-limit: "),
    (f"{RUN} --limit 0", "field --limit: "),
    (f"{RUN} --limit 1e308", "field --limit: "),
    ("run --resume full", "full: has no unfinished run"),
    ("run --resume full --seed 3", "field --seed: cannot change"),
    ("run --resume full --config nowhere", "field --config: has no effect beside --resume"),
    ("orchestrate --resume full", "full: has no unfinished run"),
    (f"{RUN} --run a.b", "is not a name"),
    (f"{RUN} --order nowhere", "nowhere: no such file"),
    (f"{RUN} --behaviours nowhere", "nowhere: no such file"),
    (f"{RUN} --hard-plans nowhere", "nowhere: no such file"),
    (f"{RUN} --feeders nowhere", "field --feeders: has no effect: it needs --feeder-limits"),
    (f"{RUN} --feeder-limits nowhere", "field --feeder-limits: has no effect: it needs --feeders"),
    (f"{RUN} --feeders nowhere --feeder-limits nowhere", "nowhere: no such file"),
    (
        "simulate --homes 2 --feeders full/mine.txt --feeder-limits full/mine.txt",
        "full/mine.txt, line 1: expected household,feeder",
    ),
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
    ("manipulate", "give either a data set or --demo"),
    ("manipulate --demo --rule greedy", "field --rule: "),
    ("manipulate --demo --rule ttc --content bundle", "ttc does not exchange bundle"),
    ("manipulate --demo --sample 0", "field --sample: "),
    ("manipulate --dataset made --slots 4", "field --slots: has no effect"),
    ("manipulate --demo --out full/mine.txt", "full/mine.txt: cannot be written"),
    ("study", "field homes: is required"),
    ("study nowhere.json", "nowhere.json: no such file or folder"),
    ("study full", "full: expected homes"),
    ("study full --swaps 0", "field --swaps: must be greater"),
    ("study full --seconds nan", "field --seconds: "),
    ("baselines --demo --households 0", "field --households: "),
    ("baselines --demo --exact-seconds -1", "field --exact-seconds: "),
    ("orchestrate --demo --households 4", "field --hosts: "),
    ("conformance", "is required"),
    ("simulat --demo", "no such command 'simulat': did you mean simulate?"),
    ("help", "no such command 'help': see --help"),
    (f"run --demo --households 4 --nats {NOBODY} --external agent_2", "did you mean 'h2'?"),
    ("doctor --nats http://x", "field --nats: 'http://x' is not the URL of a NATS server"),
    ("doctor --nats nats://", "is not the URL of a NATS server"),
    ("doctor --nats nats://127.0.0.1:99999", "is not the URL of a NATS server"),
    (f"doctor --nats {NOBODY},ftp://x", "'ftp://x' is not the URL"),
    ("doctor --keys nowhere", "nowhere: no keys of any part here"),
    ("doctor --keys full", "full: no keys of any part here"),
    ("doctor --name host-1", "field --name: has no effect: only the embedded server"),
    ("doctor --insecure", "field --insecure: has no effect: "),
    ("doctor --monitor http://x", "field --monitor: has no effect: "),
    (f"doctor --nats {NOBODY} --keys full --insecure", "field --insecure: has no effect: "),
    ("doctor extra", "unexpected extra argument"),
    ("doctor --nat x", "did you mean --nats?"),
    ("keys", "field folder: is required"),
    ("keys nowhere", "nowhere: no keys here"),
    ("keys full/mine.txt", "cannot be read"),
    ("keys new --hosts ''", "'' is not a name"),
    ("keys new --hosts a,,b", "'' is not a name"),
    ("keys new --hosts a,a", "a is given twice"),
    ("keys new --hosts orchestrator", "field --hosts: orchestrator is not a host name"),
    ("keys new --count 1000000000", "field --count: must be less than or equal to"),
    ("keys new --count 2 --matchmakers -1", "field --matchmakers: must be greater"),
    ("keys new --count 2 --days 0", "field --days: must be greater"),
    ("keys new --count 2 --days 100000000", "field --days: must be less"),
    ("keys new --days 3", "field --days: has no effect: "),
    ("keys new --server x", "field --server: has no effect: "),
    ("keys new --cluster", "field --cluster: has no effect: "),
    ("keys new --rotate x --matchmakers 3", "field --matchmakers: has no effect: "),
    ("keys new --revoke x --days 4", "field --days: has no effect: "),
    ("keys new --add x", "new: no keys here"),
    ("keys new --leaf edge", "field --leaf: "),
    ("keys new --count 2 --leaf edge=host-1 --leaf edge=host-2", "give each leaf node once"),
    ("keys new --count 2 --leaf edge@x=host-9", "field --leaf: edge names host host-9"),
    ("keys new --count 2 --server 'a b'", "field --server: 'a b' is not a name or address"),
    ("keys new --count 2 --cluster", "field --cluster: name every member"),
    ("status --nats http://x", "is not the URL of a NATS server"),
    ("status --nats nats://10.0.0.1:4222", "not on the loopback interface"),
    (f"status --nats {NOBODY} --keys nowhere", "nowhere: no keys of operator here"),
    (f"status --nats {NOBODY} --wait -1", "field --wait: must be greater"),
    (f"status --nats {NOBODY} --wait inf", "field --wait: must be less"),
    (f"status --nats {NOBODY} --wait nan", "field --wait: "),
    (f"status --nats {NOBODY} run-1", "unexpected extra argument"),
    ("abort", "field run: is required"),
    (f"abort a.b --nats {NOBODY}", "field run: 'a.b' is not a name"),
    ("abort r --nats http://x", "is not the URL of a NATS server"),
    (f"abort r --nats {NOBODY} --wait 0", "field --wait: must be greater"),
    ("verify nowhere", "field --data: is required"),
    ("verify nowhere --data full", "nowhere: no such trace"),
    ("verify full/mine.txt --data full", "full/mine.txt, line 1: not JSON"),
    ("convert full", "field target: is required"),
    ("check", "field homes: is required"),
    ("check nowhere.toml", "nowhere.toml: no such file or folder"),
    ("check full", "full: expected a home file"),
    ("check full/mine.txt --out x.png", "full/mine.txt: expected a home file"),
    ("convert full new", "full: no households: there is no agent_0.plans"),
    ("convert full/mine.txt new.npz", "expected a folder of agent_<N>.plans"),
    ("convert nowhere new --score taste", "field --score: expected preference or cost"),
    ("conformance --household h1", "field --nats: is required"),
    (f"conformance --household a.b --nats {NOBODY}", "field --household: 'a.b' is not a name"),
    (f"conformance --household h1 --run a.b --nats {NOBODY}", "field --run: 'a.b' is not a name"),
    (f"conformance --household h1 --nats {NOBODY} --plans nowhere", "nowhere: no such file"),
    (
        f"conformance --household h1 --nats {NOBODY} --plans full/mine.txt",
        "full/mine.txt, line 1: expected score:value,value,...",
    ),
    (f"conformance --household h1 --nats {NOBODY} --patience 0", "must be greater"),
    (f"conformance --household h1 --nats {NOBODY} --patience inf", "must be less"),
    (f"conformance --household h1 --nats {NOBODY} --score cost", "--score: has no effect: "),
    (f"conformance --household h1 --nats {NOBODY} --content cycles", "field --content: "),
    (f"conformance --household h1 --nats {NOBODY} --exchange paper", "field --exchange: "),
    (
        f"conformance --household h1 --nats {NOBODY} --exchange equal --content slot",
        "--content: has no effect: ",
    ),
    ("conformance --household h1 --nats http://x", "is not the URL of a NATS server"),
    ("paper --runs 0", "field --runs: must be greater than or equal to 1"),
    ("paper --runs x", "field --runs: must be a valid integer\n"),
    ("paper --workers 0", "field --workers: must be greater"),
    ("paper --generated-runs 0", "field --generated-runs: must be greater"),
    ("paper --households -1", "field --households: must be greater"),
    ("paper --dataset nowhere", "nowhere, field --dataset: no such folder or file"),
    ("paper --dataset full", "full: no households"),
    ("paper --out full/mine.txt", "full/mine.txt: cannot be written"),
    (
        "paper --dataset full --households 0 --generated-runs 3",
        "field --generated-runs: has no effect: ",
    ),
    ("report", "field results: is required"),
    ("report full --out full/mine.txt", "full/run.json: no such file"),
    ("report full --force", "field --force: no such option: see --help"),
    ("explain", "field results: is required"),
    ("explain full --household h1 --slot x", "field --slot: must be a valid integer\n"),
    ("explain full h1", "field --household: is required"),
    ("explain full --agent h1", "field --agent: no such option: did you mean --household?"),
    ("show full --jsn", "did you mean --json?"),
    ("show full/mine.txt", "full/mine.txt/run.json: cannot be read"),
    ("compare", "field results: is required"),
    ("compare full full", "give two or more different folders"),
    ("compare full nowhere", "full/run.json: no such file"),
    ("host h1", "field --nats: is required"),
    ("host h1 --nats http://x", "is not the URL of a NATS server"),
    ("host h1 --nats nats://10.0.0.1:4222", "not on the loopback interface"),
    (f"host a.b --nats {NOBODY}", "field name: 'a.b' is not a name"),
    (f"host h1 --claim full --nats {NOBODY}", "give either a name or --claim"),
    (f"host --claim full/mine.txt --nats {NOBODY}", "full/mine.txt: cannot claim a host there"),
    (f"host h1 --nats {NOBODY} --dataset x", "field --dataset: no such option: see --help"),
    (f"host h1 --nats {NOBODY} --keys nowhere", "nowhere: no keys of h1 here"),
    (f"host h1 --nats {NOBODY} --metrics x", "field --metrics: 'x' is neither PORT nor HOST:PORT"),
    (f"host h1 --nats {NOBODY} --log-level loud", "field --log-level: 'loud' is not one of"),
    (f"host h1 --nats {NOBODY} --run a.b", "field --run: 'a.b' is not a name"),
    ("matchmaker --nats http://x", "is not the URL of a NATS server"),
    (f"matchmaker a.b --nats {NOBODY}", "field name: 'a.b' is not a name"),
    (f"matchmaker --nats {NOBODY} --metrics 99999", "field --metrics: "),
    (f"matchmaker --nats {NOBODY} --log-format xml", "field --log-format: "),
    (f"{ORCHESTRATE}", "field --nats: give the URL of the NATS server"),
    (f"{ORCHESTRATE} --nats http://x", "is not the URL of a NATS server"),
    (f"{ORCHESTRATE} --nats {NOBODY} --keys nowhere", "nowhere: no keys of orchestrator here"),
    (f"{ORCHESTRATE} --nats {NOBODY} --isolation process", "field --hosts: has no effect"),
    ("run --demo --households 4 --nats http://x", "is not the URL of a NATS server"),
    ("run --demo --households 4 --metrics 0x", "field --metrics: "),
    (f"run --demo --households 4 --nats {NOBODY} --external h9", "field --external: no household"),
    (f"run --demo --households 4 --nats {NOBODY} --external h1@a.b", "'a.b' is not a name"),
    ("generate --out new --households 0", "households: must be at least 1"),
    ("generate --out new --slots 0", "slots: must be at least 1"),
    ("generate --out new --seed -1", "seed: must be at least 0"),
    ("generate --out new --scheme fish", "scheme: 'fish' is not a part of a scheme"),
    ("generate --out new --scheme swap-99:3 --slots 4", "needs plans of at least 99 slots"),
    ("generate --out new --unit kWh", "field --unit: has no effect without --from"),
    ("generate --out new --from nowhere", "nowhere: there is no such file"),
    ("generate --out full", "full: exists already"),
    ("generate --out new --data x", "field --data: no such option: did you mean --from?"),
    ("baselines --demo --households 4 --exact-seconds inf", "--exact-seconds: must be less"),
    ("baselines --demo --households 4 --trace", "field --trace: has no effect: "),
    ("baselines --demo --households 4 --out full/mine.txt", "full/mine.txt: cannot be written"),
    ("sweep --demo true --runs 3", "did you mean --replications?"),
    ("sweep --demo true --replications 0", "field --replications: must be greater"),
    ("sweep --demo true --beta x", "field --beta: must be a valid number\n"),
    ("sweep --demo true --beta 0,0", "field --beta: a value is given twice"),
    ("sweep --demo true --nats x", "field --nats: cannot be part of a sweep"),
    ("sweep --demo true --exchange off --rounds 3", "field --rounds: has no effect in any run"),
    ("sweep --demo maybe", "field --demo: "),
    ("sweep full/mine.txt", "full/mine.txt: not a TOML file"),
]
FILES = [
    # option, content of its file, error message
    ("config", "[run]\nbeta = 0.5\n", "field run: options are lines"),
    ("config", "iterations = true\n", "field iterations: true is for switches"),
    ("config", "trace = 1\n", "field trace: 1 is a number"),
    ("config", "betta = 1\n", "field betta: no such option: did you mean 'beta'?"),
    ("config", "beta = \n", "not a TOML file"),
    ("config", 'exchange = "off"\ntrace = true\n', "field trace: has no effect"),
    ("order", "h0\nh1\nh2\nh9\n", "line 4: no household 'h9' in the data: there are h0, h1,"),
    ("order", "h0\nh1\nh2\nagent_3\n", "line 4: no household 'agent_3' in the .*mean 'h3'?"),
    ("order", "h0\nh0\n", "line 2: h0 is already in line 1"),
    ("order", "h0\n", "3 households are missing"),
    ("behaviours", "H0,0,1\n", "line 1: no household 'H0' in the data: did you mean 'h0'?"),
    ("behaviours", "h0,1\n", "line 1: expected household,alpha,beta"),
    ("behaviours", "h0,a,b\n", "line 1: alpha and beta must be numbers"),
    ("behaviours", "h0,0.9,0.9\n", "line 1: alpha and beta"),
    ("hard-plans", "1,2\n0,0\n", "line 1: 2 values, expected 36"),
    ("hard-costs", "1,2,3,4\n0,0,0,9\n", "line 2: modes must be"),
    ("target", "1,2\n", "file"),
    ("target", "time,kw\n00:00,1\n", "file, line 1: has times, but the data set does not say"),
    ("hard-plans", "time,max_kw\n00:00,1\n", "file, line 1: has times, but the data set"),
    ("mandates", "[agent_0]\nbeta = 0.5\n", "field agent_0: .*did you mean 'h0'?"),
    ("mandates", "[defaults]\nbeta = 0.5\n", "field defaults: .*did you mean 'default'?"),
    ("mandates", "[h0]\nbetta = 0.5\n", "field h0.betta: no such key: did you mean 'beta'?"),
    ("mandates", "[h0]\nnever = [99]\n", "field h0.never: slot 99 is beyond"),
    ("mandates", '["\\u001b[31m"]\n', "\\x1b[31m"),
]
FOLDERS = [
    # command line, name of a file in the folder `made`, its content, error message
    ("show made", "run.json", "{", "made/run.json: "),
    ("show made", "run.json", "[]", "made/run.json: "),
    ("show made", "run.json", "{}", "made/run.json, field "),
    ("show made --json", "run.json", "\x00", "made/run.json: "),
    ("report made --out new", "run.json", "[]", "made/run.json: "),
    ("report made --out new", "run.json", '{"run": 1}', "made/run.json, field "),
    ("compare made full", "run.json", "{}", "made/run.json, field "),
    ("compare made full", "sweep.csv", "nonsense", "made/"),
    ("explain made --household h1", "host-1.sqlite", "nonsense", "made/host-1.sqlite: "),
    ("convert made new", "agent_0.plans", "1:1,2\n2:1,2,3\n", "made/agent_0.plans, line 2: "),
    ("convert made new", "agent_0.plans", "1:1,x\n", "made/agent_0.plans, line 1: "),
    ("convert made new", "agent_0.plans", "1:1,nan\n", "made/agent_0.plans, line 1"),
    ("convert made new", "agent_0.plans", "", "made/agent_0.plans: "),
    ("convert made/a.npz new", "a.npz", "no archive", "made/a.npz: "),
    ("simulate --dataset made", "agent_0.plans", "1,2\n", "made/agent_0.plans, line 1: "),
    ("simulate --dataset made", "agent_1.plans", "1:1\n", "made: "),
    ("verify made/t.json --data full", "t.json", "{}", "made/t.json"),
    ("verify made/t.json --data full", "t.json", "", "made/t.json"),
    ("keys made", "parts.json", "[]", "made/parts.json: cannot be read"),
    ("keys made --add x", "parts.json", "{", "made/parts.json: cannot be read"),
    ("doctor --keys made", "user.nk", "nonsense", "made/cert.pem"),
    ("sweep made/g.toml", "g.toml", "demo = true\nruns = 3\n", "did you mean 'replications'?"),
    ("sweep made/g.toml", "g.toml", "replications = 0\n", "field replications: must be"),
    ("sweep made/g.toml", "g.toml", "[run]\nbeta = 1\n", "made/g.toml, field run: "),
    ("paper --dataset made", "agent_0.plans", "1:1,x\n", "made/agent_0.plans, line 1: "),
    ("baselines --dataset made", "agent_0.plans", "x\n", "made/agent_0.plans, line 1: "),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
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


@pytest.mark.parametrize(("typed", "name", "content", "message"), FOLDERS)
def test_a_damaged_folder_is_refused_in_one_line(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    typed: str,
    name: str,
    content: str,
    message: str,
) -> None:
    (folder / "made").mkdir()
    (folder / "made" / name).write_text(content)
    check(folder, monkeypatch, capsys, typed=typed, message=message)


def test_every_command_has_bad_inputs() -> None:
    counts = Counter(typed.split()[0] for typed, *_ in [*OPTIONS, *FOLDERS])
    assert all(counts[command] >= 4 for command in MODULES), counts


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
