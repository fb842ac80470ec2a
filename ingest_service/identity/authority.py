"""The certificate authority: makes itself, certificates on elliptic curves, and the list of what it took back."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ingest_service.identity.names import IdentityError

AUTHORITY_DAYS = 7_300  # a broker trusts it as long as the plant stands
EARLIER = timedelta(minutes=10)  # an edge's clock may be behind ours


class Issued(msgspec.Struct, frozen=True):
    """A certificate, and its key where we made it (PEM; "" where the owner keeps it)."""

    cert: bytes
    key: bytes
    serial: int
    until_ms: int


class Authority:
    """Signs in its own name. Times are ms since 1970 UTC."""

    def __init__(self, cert: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self._cert, self._key = cert, key

    @classmethod
    def made(cls, now_ms: int) -> "Authority":
        """A new one with a new key."""
        key, name = _new_key(), _name("Clearstack edges")
        builder = _builder(name, name, key.public_key(), now_ms, AUTHORITY_DAYS)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_key_usage(is_authority=True), critical=True)
        return cls(builder.sign(key, hashes.SHA256()), key)

    @classmethod
    def read(cls, cert: bytes, key: bytes) -> "Authority":
        """One that was made before. Raises IdentityError where the two do not belong together."""
        try:
            found, private = x509.load_pem_x509_certificate(cert), serialization.load_pem_private_key(key, None)
        except (ValueError, TypeError) as error:
            raise IdentityError(f"certificate or key of the authority cannot be read: {error}") from error
        if not isinstance(private, ec.EllipticCurvePrivateKey) or private.public_key() != found.public_key():
            raise IdentityError("certificate and key of the authority do not belong together")
        return cls(found, private)

    @property
    def cert(self) -> bytes:
        """Its certificate (PEM): what whoever trusts it is given."""
        return self._cert.public_bytes(serialization.Encoding.PEM)

    @property
    def key(self) -> bytes:
        """Its key (PEM), which never leaves the centre."""
        return _key_pem(self._key)

    def issue_client(self, name: str, now_ms: int, days: int) -> Issued:
        """A new key and a certificate for whoever is called that at the broker."""
        key = _new_key()
        return self._issued(name, key.public_key(), now_ms, days, _key_pem(key))

    def sign_request(self, name: str, request: bytes, now_ms: int, days: int) -> Issued:
        """A certificate for the key of a request (PEM CSR), under our name for it. Raises IdentityError."""
        try:
            asked = x509.load_pem_x509_csr(request)
        except ValueError as error:
            raise IdentityError(f"the request cannot be read: {error}") from error
        public = asked.public_key()
        if not asked.is_signature_valid:
            raise IdentityError("the request is not signed with its own key")
        if not isinstance(public, ec.EllipticCurvePublicKey):
            raise IdentityError("the request's key must be on an elliptic curve (openssl ecparam -name prime256v1)")
        return self._issued(name, public, now_ms, days, b"")

    def issue_server(self, hosts: Sequence[str], now_ms: int, days: int) -> Issued:
        """A new key and a certificate for the broker under these names and addresses."""
        key = _new_key()
        builder = _builder(_name(hosts[0]), self._cert.subject, key.public_key(), now_ms, days)
        names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
        return self._signed(builder, ExtendedKeyUsageOID.SERVER_AUTH, key.public_key(), _key_pem(key))

    def revocations(self, serials: Iterable[tuple[int, int]], now_ms: int) -> bytes:
        """The list (PEM) of serial numbers, each with the time since when (ms). It holds as long as the authority."""
        builder = x509.CertificateRevocationListBuilder(
            issuer_name=self._cert.subject, last_update=_moment(now_ms), next_update=self._cert.not_valid_after_utc
        )
        for serial, since_ms in serials:
            revoked = x509.RevokedCertificateBuilder(serial_number=serial, revocation_date=_moment(since_ms))
            builder = builder.add_revoked_certificate(revoked.build())
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _issued(self, name: str, public: ec.EllipticCurvePublicKey, now_ms: int, days: int, key: bytes) -> Issued:
        builder = _builder(_name(name), self._cert.subject, public, now_ms, days)
        return self._signed(builder, ExtendedKeyUsageOID.CLIENT_AUTH, public, key)

    def _signed(
        self,
        builder: x509.CertificateBuilder,
        use: x509.ObjectIdentifier,
        public: ec.EllipticCurvePublicKey,
        key: bytes,
    ) -> Issued:
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(is_authority=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        cert = builder.add_extension(issuer, critical=False).sign(self._key, hashes.SHA256())
        until_ms = round(cert.not_valid_after_utc.timestamp() * 1000)
        return Issued(cert.public_bytes(serialization.Encoding.PEM), key, cert.serial_number, until_ms)


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, now_ms: int, days: int
) -> x509.CertificateBuilder:
    now = _moment(now_ms)
    return x509.CertificateBuilder(
        subject_name=subject,
        issuer_name=issuer,
        public_key=public,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - EARLIER,
        not_valid_after=now + timedelta(days=days),
    )


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    kind = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption())


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC)
