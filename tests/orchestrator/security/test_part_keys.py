"""The keys of one part: where it finds them, and when it is asked for them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator.cli import app
from orchestrator.distributed.connection import reach
from orchestrator.security.certificates import make_ca
from orchestrator.security.keyring import Keyring
from protocol.errors import InputError
from protocol.transport.identity import (
    CA,
    CERTIFICATE,
    KEY,
    SEED,
    folder_of,
    read_identity,
)


def test_a_part_finds_its_folder_alone_on_its_machine(ring: Keyring, tmp_path: Path) -> None:
    assert folder_of(ring.folder, "host-1") == ring.folder / "host-1"
    alone = tmp_path / "etc"
    (ring.folder / "host-1").rename(alone)
    assert folder_of(alone, "host-1") == alone
    read_identity(alone, "host-1")
    with pytest.raises(InputError, match="no keys of host-1 here"):
        folder_of(ring.folder, "host-1")


@pytest.mark.parametrize(
    ("file", "content", "complaint"),
    [
        (CA, None, r"ca.pem: cannot be read"),
        (CA, b"no", r"ca.pem: not a certificate"),
        (CERTIFICATE, b"no", "are not a certificate and its key"),
        (KEY, make_ca(datetime.now(UTC)).key_pem(), "are not a certificate and its key"),
        (KEY, None, r"key.pem: cannot be read"),
        (SEED, b"no", r"user.nk: not the seed"),
        (SEED, b"SUAAAAAAAAAAAAAA", r"user.nk: not the seed"),
        (SEED, b"SU" + b"!" * 56, r"user.nk: not the seed"),
    ],
)
def test_wrong_files_of_a_part_are_said(
    ring: Keyring, file: str, content: bytes | None, complaint: str
) -> None:
    place = ring.folder / "host-1" / file
    place.unlink()
    if content is not None:
        place.write_bytes(content)
    with pytest.raises(InputError, match=complaint):
        read_identity(ring.folder, "host-1")


@pytest.mark.parametrize(
    "url",
    [
        "nats://127.0.0.1:4222",
        "localhost:4222",
        "localhost:1, 127.0.0.1:2",
        "nats://u:p@127.3.2.1",
        "tls://[::1]:4222",
    ],
)
def test_on_the_own_machine_keys_are_not_asked_for(url: str) -> None:
    assert reach(url, "host-1", None, insecure=False).keys is None


@pytest.mark.parametrize(
    "url",
    [
        *("nats://10.0.0.7:4222", "nats:4222", "tls://example.org", "nats://127.0.0.1@example.org"),
        *("nats://localhost.example.org", "nats://[::2]:4222"),
        "localhost,nats:4222",
    ],
)
def test_elsewhere_keys_are_asked_for(ring: Keyring, url: str) -> None:
    with pytest.raises(InputError, match=r"--nats: .*give --keys DIR .* or --insecure"):
        reach(url, "host-1", None, insecure=False)
    assert reach(url, "host-1", None, insecure=True).url == url
    assert reach(url, "host-1", ring.folder, insecure=False).keys == ring.folder
    with pytest.raises(InputError, match="no keys of host-3 here"):
        reach(url, "host-3", ring.folder, insecure=False)
    with pytest.raises(InputError, match="give the URL of the NATS server"):
        reach(None, "host-1", ring.folder, insecure=False)


@pytest.mark.parametrize(
    "url", ["", "nats://", "nats://[", "localhost,", "http://localhost", "localhost:port", "nats:0"]
)
def test_an_address_that_is_no_servers_is_refused(url: str) -> None:
    with pytest.raises(InputError, match=r"--nats: .*is not the URL of a NATS server"):
        reach(url, "host-1", None, insecure=True)


@pytest.mark.parametrize("command", [["host", "host-1"], ["matchmaker"]])
def test_the_parts_take_this_from_the_environment(command: list[str], tmp_path: Path) -> None:
    def refusal(**environment: str) -> str:
        result = CliRunner().invoke(app, command, env=environment)
        assert isinstance(result.exception, InputError), result.output
        return str(result.exception)

    assert "give --keys" in refusal(COFLEX_NATS="nats://example.org")
    assert "no keys of" in refusal(COFLEX_NATS="nats://example.org", COFLEX_KEYS=str(tmp_path))


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"COFLEX_NATS": "nats://example.org"}, "give --keys"),
        ({"COFLEX_KEYS": "nowhere"}, "the embedded server needs no keys"),
        ({"COFLEX_NATS": "nats://example.org", "COFLEX_KEYS": "nowhere"}, "no keys of host-1"),
    ],
)
def test_so_does_a_run(environment: dict[str, str], complaint: str) -> None:
    demo = ["run", "--demo", "--households", "4", "--slots", "36", "--isolation", "task"]
    result = CliRunner().invoke(app, demo, env=environment)
    assert isinstance(result.exception, InputError), result.output
    assert complaint in str(result.exception)
