"""What deploy/ holds for several machines: valid, hardened, and in step with the command line."""

import configparser
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import typer
import yaml
from packaging.requirements import Requirement
from typer.testing import CliRunner

from orchestrator.cli import app
from tests.support.paths import ROOT

DEPLOY = ROOT / "deploy"
KUBERNETES, COMPOSE, SYSTEMD = DEPLOY / "kubernetes", DEPLOY / "compose", DEPLOY / "systemd"
LOCKS = DEPLOY / "requirements"
VERSION = "1.31"
MANIFESTS = sorted(
    path for path in KUBERNETES.glob("*.yaml") if path.stem not in ("kustomization", "nats-values")
)
SERVER_PORT = f"{4222:X}"


def parsed(words: list[str]) -> None:
    """Fails if `coflex` would not understand these words."""
    command: Any = typer.main.get_command(app)
    own = command.get_command(None, words[0])
    own.make_context(words[0], list(words[1:]), resilient_parsing=False)


def documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every pod that is asked for, with where it stands."""
    for path in MANIFESTS:
        for document in documents(path):
            if "template" in document.get("spec", {}):
                yield f"{path.name}: {document['kind']}", document["spec"]["template"]["spec"]


def test_there_is_something_to_examine() -> None:
    assert {"hosts.yaml", "matchmaker.yaml", "run.yaml"} <= {path.name for path in MANIFESTS}
    assert len(list(pods())) == 3
    assert len(list(COMPOSE.glob("*.yml"))) == 4
    assert len(list(SYSTEMD.glob("*.service"))) == 3


# -- Kubernetes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_manifests_are_what_kubernetes_takes(path: Path) -> None:
    for document in documents(path):
        kubernetes_validate.validate(document, VERSION, strict=True)


def test_a_wrong_manifest_would_be_found() -> None:
    (_, stateful) = documents(KUBERNETES / "hosts.yaml")[:2]
    stateful["spec"]["replica"] = 3
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(stateful, VERSION, strict=True)


def test_the_kustomization_names_what_there_is() -> None:
    (kustomization,) = documents(KUBERNETES / "kustomization.yaml")
    listed = set(kustomization["resources"])
    # A run is made when it is wanted, each under a name of its own.
    assert listed == {path.name for path in MANIFESTS} - {"run.yaml"}
    made = {secret["name"]: secret["files"] for secret in kustomization["secretGenerator"]}
    keys = {file.partition("=")[0].rpartition("/")[2] for file in made["host-keys"]}
    for _, pod in pods():
        for volume in pod["volumes"]:
            if "secret" in volume:
                assert volume["secret"]["secretName"] in made
                items = {item["key"] for item in volume["secret"].get("items", [])}
                assert items <= keys
    hosts = {file.partition("=")[2].split("/")[1] for file in made["host-keys"]}
    stateful = documents(KUBERNETES / "hosts.yaml")[1]["spec"]
    first = stateful["ordinals"]["start"]
    assert hosts == {f"host-{first + number}" for number in range(stateful["replicas"])}


def test_keys_are_where_the_kustomization_looks(tmp_path: Path) -> None:
    """As docs/deployment.md has them made."""
    servers = ["--server", "nats", "--server", "*.nats-headless"]
    made = CliRunner().invoke(app, ["keys", str(tmp_path / "keys"), "--count", "3", *servers])
    assert made.exit_code == 0, made.output
    (kustomization,) = documents(KUBERNETES / "kustomization.yaml")
    for secret in kustomization["secretGenerator"]:
        for file in secret["files"]:
            assert (tmp_path / (file.partition("=")[2] or file)).is_file(), file


@pytest.mark.parametrize(("where", "pod"), list(pods()))
def test_pods_are_hardened(where: str, pod: dict[str, Any]) -> None:
    context = pod["securityContext"]
    assert context["runAsNonRoot"]
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert pod["terminationGracePeriodSeconds"] == 10
    for container in pod["containers"]:
        own = container["securityContext"]
        assert own["readOnlyRootFilesystem"]
        assert own["allowPrivilegeEscalation"] is False
        assert own["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        claimed = {"keep"} if where.startswith("hosts") else set()
        assert mounted == {volume["name"] for volume in pod["volumes"]} | claimed


def test_parts_come_back_as_they_must() -> None:
    """A run is tried once, and two matchmakers of one name never stand side by side."""
    (run,), (matchmaker,) = (
        documents(KUBERNETES / "run.yaml"),
        documents(KUBERNETES / "matchmaker.yaml"),
    )
    assert run["spec"]["backoffLimit"] == 0
    assert run["spec"]["template"]["spec"]["restartPolicy"] == "Never"
    assert matchmaker["spec"]["replicas"] == 1
    assert matchmaker["spec"]["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize(("where", "pod"), list(pods()))
def test_keys_are_for_the_group_of_the_pod_alone(where: str, pod: dict[str, Any]) -> None:
    context = pod["securityContext"]
    assert context["fsGroup"] == context["runAsGroup"] == 10001
    (secret,) = [volume["secret"] for volume in pod["volumes"] if "secret" in volume]
    assert secret["defaultMode"] == 0o440


def test_the_network_policies_are_for_the_pods_there_are() -> None:
    policies = {
        policy["metadata"]["name"]: policy["spec"]
        for policy in documents(KUBERNETES / "network-policies.yaml")
    }
    label = policies["parts"]["podSelector"]["matchLabels"]
    (entrance, _) = policies["servers"]["ingress"]
    assert [peer["podSelector"]["matchLabels"] for peer in entrance["from"]] == [label]
    for path in MANIFESTS:
        for document in documents(path):
            if "template" in document.get("spec", {}):
                labels = document["spec"]["template"]["metadata"]["labels"]
                assert label.items() <= labels.items(), path.name


@pytest.mark.parametrize(("where", "pod"), list(pods()))
def test_pods_say_what_coflex_understands(where: str, pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    environment = {entry["name"] for entry in container["env"]}
    words = [word.replace("$(POD_NAME)", "host-1") for word in container["args"]]
    assert {"COFLEX_NATS", "COFLEX_KEYS"} <= environment
    parsed([*words, "--nats", "tls://nats:4222"])
    for name in ("readinessProbe", "livenessProbe"):
        if name in container:
            assert f":{SERVER_PORT} 01 " in container[name]["exec"]["command"]


def test_the_charts_values_stand_for_the_keys() -> None:
    (values,) = documents(KUBERNETES / "nats-values.yaml")
    (kustomization,) = documents(KUBERNETES / "kustomization.yaml")
    made = {secret["name"]: secret["files"] for secret in kustomization["secretGenerator"]}
    files = {file.partition("=")[0] for file in made["nats-server"]}
    for tls in (values["config"]["nats"]["tls"], values["config"]["cluster"]["tls"]):
        assert tls["merge"]["verify"]
        assert {tls["cert"], tls["key"], values["tlsCA"]["key"]} <= files
        assert tls["secretName"] in made
    assert values["config"]["nats"]["tls"]["merge"]["handshake_first"]


# -- compose on several machines ------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(COMPOSE.glob("*.yml")), ids=lambda path: path.name)
def test_compose_files_are_valid_and_hardened(path: Path) -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    subprocess.run([*check, str(path)], check=True, capture_output=True)
    (document,) = documents(path)
    for name, service in document["services"].items():
        assert service["user"] == "10001:10001"
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["stop_grace_period"] == "10s"
        assert {"mem_limit", "pids_limit"} <= service.keys()
        if name != "nats":
            words = ["3" if "HOSTS" in w else "x" if "$" in w else w for w in service["command"]]
            parsed([*words, "--nats", "tls://bus:4222"])


def test_all_yaml_is_tidy() -> None:
    config = ROOT / "tests" / "documents" / "docker" / "yamllint.yml"
    files = [DEPLOY.parent / "docker-compose.yml", KUBERNETES, COMPOSE]
    command = [sys.executable, "-m", "yamllint", "--strict", "-c", str(config), *map(str, files)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


# -- systemd --------------------------------------------------------------------------------------


class _Unit(configparser.RawConfigParser):
    """A systemd unit: the names of its options keep their case."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


@pytest.mark.parametrize("path", sorted(SYSTEMD.glob("*.service")), ids=lambda path: path.name)
def test_units_are_complete(path: Path) -> None:
    unit = _Unit(strict=False)
    unit.read_string(path.read_text())
    service = unit["Service"]
    assert service["User"] == "coflex"
    assert service["Restart"] == "on-failure"
    assert service["TimeoutStopSec"] == "10"
    assert service["NoNewPrivileges"] == "yes"
    program, *words = shlex.split(service["ExecStart"].replace("%i", "matchmaker-1"))
    if program.endswith("coflex"):
        parsed([*words, "--nats", "tls://bus:4222"])
        assert service["Environment"] == "COFLEX_KEYS=/etc/coflex/keys/%i"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for path in SYSTEMD.glob("*.service"):
        text = path.read_text().replace("/opt/coflex/bin/coflex", "/bin/true")
        name = path.name.replace("@.", "@one.")
        (tmp_path / name).write_text(text.replace("/usr/local/bin/nats-server", "/bin/true"))
    units = sorted(map(str, tmp_path.glob("*.service")))
    found = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in found.stderr.splitlines() if "coflex" in line]
    assert not ours, ours


# -- locks ----------------------------------------------------------------------------------------


def pins(name: str) -> dict[str, set[str]]:
    """The versions in a lock, by package; one for each marker."""
    found: dict[str, set[str]] = {}
    for line in (LOCKS / f"{name}.lock").read_text().splitlines():
        if "==" in line and not line.startswith(" "):
            package, version = line.removesuffix("\\").split(";")[0].strip().split("==")
            found.setdefault(package, set()).add(version)
    return found


@pytest.mark.parametrize("path", sorted(LOCKS.glob("*.lock")), ids=lambda path: path.name)
def test_every_package_has_a_hash_and_no_lock_names_an_index(path: Path) -> None:
    text = path.read_text()
    entries = text.replace("\\\n", " ").strip().splitlines()
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in text


@pytest.mark.parametrize("part", ["build", "run", "report"])
def test_all_locks_agree_on_versions(part: str) -> None:
    everything = pins("dev")
    assert pins(part).items() <= everything.items()


def test_the_locks_hold_what_the_project_asks_for() -> None:
    """Whoever changes the dependencies runs `make locks`."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project, groups = document["project"], document["dependency-groups"]
    extras = project["optional-dependencies"]
    asked = {
        "run": project["dependencies"],
        "report": project["dependencies"] + extras["report"],
        "dev": [*project["dependencies"], *extras["report"], *extras["dev"], *groups["build"]],
        "build": [*groups["build"], *document["build-system"]["requires"]],
        "compose-test": groups["compose-test"],
        "installer": groups["installer"],
    }
    assert {path.stem for path in LOCKS.glob("*.lock")} == set(asked)
    for lock, wanted in asked.items():
        locked = pins(lock)
        for text in wanted:
            requirement = Requirement(text)
            if requirement.name == "coflex":
                continue
            versions = locked[requirement.name.lower()]
            assert all(requirement.specifier.contains(version) for version in versions), text
