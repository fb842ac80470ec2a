"""The authority on disk: what it issues, what it takes back, and who can read its key."""

import stat
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ingest_service.errors import ServiceError
from ingest_service.identity.folder import IdentityFolder
from ingest_service.identity.names import EdgeName, IdentityError

NOW_MS = 1_795_000_000_000
DAY_MS = 86_400_000
GATEWAY = EdgeName("beishan", "gateway")


@pytest.fixture
def folder(tmp_path: Path) -> IdentityFolder:
    return IdentityFolder(tmp_path / "ca", "clearstack")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def revoked(path: Path) -> set[int]:
    return {one.serial_number for one in x509.load_pem_x509_crl((path / "ca" / "crl.pem").read_bytes())}


def test_an_edge_gets_a_certificate_in_its_own_name_for_clients_only(folder: IdentityFolder, tmp_path: Path) -> None:
    issued = folder.enrol(GATEWAY, NOW_MS, 30)
    cert = x509.load_pem_x509_certificate(issued.cert)
    assert cert.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "beishan/gateway"
    uses = cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(uses) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert cert.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert issued.until_ms == NOW_MS + 30 * DAY_MS
    cert.verify_directly_issued_by(x509.load_pem_x509_certificate(folder.trust()))
    assert "user beishan/gateway\n" in (tmp_path / "ca" / "acl").read_text()


def test_the_authority_is_made_once_and_nobody_else_reads_its_key(folder: IdentityFolder, tmp_path: Path) -> None:
    folder.enrol(GATEWAY, NOW_MS, 30)
    trust = folder.trust()
    folder.enrol(EdgeName("donghu", "gateway"), NOW_MS, 30)
    assert folder.trust() == trust
    assert mode(tmp_path / "ca" / "ca.key") == 0o600
    assert mode(tmp_path / "ca" / "acl") == 0o644


def test_who_is_enrolled_again_has_one_certificate_that_holds(folder: IdentityFolder, tmp_path: Path) -> None:
    first, second = folder.enrol(GATEWAY, NOW_MS, 30), folder.enrol(GATEWAY, NOW_MS + 1, 30)
    assert [one.holds(NOW_MS + 2) for one in folder.certified()] == [False, True]
    assert revoked(tmp_path) == {first.serial}
    assert first.serial != second.serial


def test_what_was_revoked_is_on_the_list_and_without_rules(folder: IdentityFolder, tmp_path: Path) -> None:
    issued = folder.enrol(GATEWAY, NOW_MS, 30)
    folder.enrol(EdgeName("donghu", "gateway"), NOW_MS, 30)
    folder.revoke(GATEWAY, NOW_MS + 1)
    assert revoked(tmp_path) == {issued.serial}
    rules = (tmp_path / "ca" / "acl").read_text()
    assert "beishan" not in rules
    assert "donghu" in rules


def test_the_list_of_what_was_revoked_holds_as_long_as_the_authority(folder: IdentityFolder, tmp_path: Path) -> None:
    folder.enrol(GATEWAY, NOW_MS, 30)
    crl = x509.load_pem_x509_crl((tmp_path / "ca" / "crl.pem").read_bytes())
    authority = x509.load_pem_x509_certificate(folder.trust())
    assert crl.next_update_utc == authority.not_valid_after_utc
    assert crl.is_signature_valid(authority.public_key())  # type: ignore[arg-type]


@pytest.mark.parametrize("revoked_before", [False, True])
def test_nothing_to_revoke_is_an_error(folder: IdentityFolder, revoked_before: bool) -> None:
    if revoked_before:
        folder.enrol(GATEWAY, NOW_MS, 30)
        folder.revoke(GATEWAY, NOW_MS)
    with pytest.raises(IdentityError, match="beishan/gateway has no certificate"):
        folder.revoke(GATEWAY, NOW_MS)


def test_a_key_that_never_leaves_the_edge_is_certified_by_its_request(folder: IdentityFolder, tmp_path: Path) -> None:
    key, request = tmp_path / "edge.key", tmp_path / "edge.csr"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command = [
        "openssl",
        "req",
        "-new",
        *curve,
        "-keyout",
        str(key),
        "-out",
        str(request),
        "-subj",
        "/CN=somebody else",
    ]
    subprocess.run(command, check=True, capture_output=True)
    issued = folder.enrol(GATEWAY, NOW_MS, 30, request.read_bytes())
    cert = x509.load_pem_x509_certificate(issued.cert)
    assert issued.key == b""
    assert cert.public_key() == x509.load_pem_x509_csr(request.read_bytes()).public_key()
    assert cert.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "beishan/gateway"


def test_what_is_no_request_is_refused_and_changes_nothing(folder: IdentityFolder) -> None:
    with pytest.raises(IdentityError, match="cannot be read"):
        folder.enrol(GATEWAY, NOW_MS, 30, b"no request")
    assert folder.certified() == []


def test_a_lost_key_does_not_make_a_new_authority_that_no_edge_trusts(folder: IdentityFolder, tmp_path: Path) -> None:
    folder.enrol(GATEWAY, NOW_MS, 30)
    (tmp_path / "ca" / "ca.key").unlink()
    with pytest.raises(IdentityError, match="edges that trust it would be lost"):
        folder.enrol(GATEWAY, NOW_MS, 30)


def test_a_key_of_another_authority_is_refused(folder: IdentityFolder, tmp_path: Path) -> None:
    folder.enrol(GATEWAY, NOW_MS, 30)
    other = IdentityFolder(tmp_path / "other", "clearstack")
    other.enrol(GATEWAY, NOW_MS, 30)
    (tmp_path / "other" / "ca.key").replace(tmp_path / "ca" / "ca.key")
    with pytest.raises(IdentityError, match="do not belong together"):
        folder.enrol(GATEWAY, NOW_MS, 30)


def test_a_folder_that_cannot_be_made_is_an_error_of_the_service(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServiceError, match="Not a directory"):
        IdentityFolder(tmp_path / "file" / "ca", "clearstack").enrol(GATEWAY, NOW_MS, 30)
