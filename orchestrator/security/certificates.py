"""Certificates of our own CA, of the server, and of each part. No files, no clock.

All keys are on the curve P-256. A certificate names its part; the part's nkey and the server's
permissions decide what it may do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_DAYS = 3650
BACKDATED = timedelta(minutes=10)
"""Certificates are backdated by this, so that they are valid on machines whose clock is slow."""
CA_NAME = "coflex CA"


@dataclass(frozen=True, slots=True)
class Certified:
    """A private key and its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def key_pem(self) -> bytes:
        """Return the private key in PEM format, not encrypted."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def pem(self) -> bytes:
        """Return the certificate in PEM format."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def make_ca(now: datetime) -> Certified:
    """Make a CA that can sign certificates of parts and servers, but not of other CAs."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(CA_NAME)
    certificate = (
        _begun(name, name, key, now=now, days=CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Certified(key, certificate)


def make_server(ca: Certified, names: Sequence[str], *, now: datetime, days: int) -> Certified:
    """Make the certificate of a server that is reached by these names and addresses.

    It also allows the server to connect to other servers of its cluster as a client.
    """
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    known = x509.SubjectAlternativeName([_alternative(name) for name in names])
    return _signed(ca, "server", known, usages=usages, now=now, days=days)


def make_part(ca: Certified, name: str, *, now: datetime, days: int) -> Certified:
    """Make the certificate of the part `name`."""
    known = x509.SubjectAlternativeName([x509.DNSName(name)])
    return _signed(ca, name, known, usages=[ExtendedKeyUsageOID.CLIENT_AUTH], now=now, days=days)


def names_of(certificate: x509.Certificate) -> list[str]:
    """Return the names and addresses in a certificate."""
    known = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in known]


def _signed(
    ca: Certified,
    name: str,
    known: x509.SubjectAlternativeName,
    *,
    usages: Sequence[x509.ObjectIdentifier],
    now: datetime,
    days: int,
) -> Certified:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key())
    certificate = (
        _begun(_name(name), ca.certificate.subject, key, now=now, days=days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(known, critical=False)
        .add_extension(issuer, critical=False)
        .sign(ca.key, hashes.SHA256())
    )
    return Certified(key, certificate)


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    *,
    now: datetime,
    days: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
