"""What the certificates say, and what a part may do by its name."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from orchestrator.security.certificates import make_ca, make_part, make_server
from protocol.transport.permissions import permissions

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_certificates_are_what_strict_clients_want() -> None:
    ca = make_ca(NOW)
    basic = ca.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, 0)
    usage = ca.certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert (usage.critical, usage.value.key_cert_sign) == (True, True)
    serials = {ca.certificate.serial_number}
    for made in (
        make_part(ca, "host-1", now=NOW, days=30),
        make_server(ca, ["a.example"], now=NOW, days=30),
    ):
        certificate = made.certificate
        certificate.verify_directly_issued_by(ca.certificate)
        own = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        assert (own.critical, own.value.ca) == (True, False)
        assert not certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
        assert certificate.not_valid_before_utc < NOW
        assert certificate.not_valid_after_utc == NOW + timedelta(days=30)
        assert isinstance(made.key.curve, ec.SECP256R1)
        serials.add(certificate.serial_number)
    assert len(serials) == 3
    part = make_part(ca, "host-1", now=NOW, days=30).certificate
    uses = part.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert x509.oid.ExtendedKeyUsageOID.SERVER_AUTH not in uses  # it must not pose as the server


def test_a_part_may_do_what_its_name_says_and_nothing_else() -> None:
    host = permissions("host-1")
    assert host.publish == ("coflex.*.to.*.from.host-1",)
    assert host.subscribe == ("coflex.*.to.host-1.>", "coflex.announce.>", "_INBOX_host-1.>")
    assert not host.answer
    assert permissions("orchestrator").publish == (
        "coflex.*.to.*.from.orchestrator",
        "coflex.announce.from.orchestrator",
    )
    maker = permissions("matchmaker-2")
    assert "$SRV.>" in maker.subscribe
    assert maker.answer
    assert permissions("operator").publish == (
        "coflex.*.to.*.from.operator",
        "coflex.announce.from.operator",
        "$SRV.>",
    )
    for name in ("matchmaker", "matchmaker-x", "matchmaker-1-x", "xmatchmaker-1", "operator-2"):
        assert permissions(name).publish == (f"coflex.*.to.*.from.{name}",)
        assert not permissions(name).answer
