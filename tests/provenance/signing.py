"""Pictures signed by a camera that exists in the test alone, and a listener that hears whoever asks for an address."""

import datetime
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import c2pa
import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image

BEGIN, END = datetime.datetime(2024, 1, 1), datetime.datetime(2099, 1, 1)
AI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
MANIFEST: dict[str, Any] = {
    "claim_generator_info": [{"name": "Test editor", "version": "1.0"}],
    "title": "<script>alert(1)</script>.jpg",
    "assertions": [
        {
            "label": "c2pa.actions.v2",
            "data": {
                "actions": [
                    {"action": "c2pa.created", "digitalSourceType": AI},
                    {"action": "c2pa.color_adjustments"},
                    {"action": "org.example.sprinkled"},
                ]
            },
        }
    ],
}


def _name(common: str) -> x509.Name:
    parts = ((NameOID.ORGANIZATION_NAME, "Example <b>news</b>"), (NameOID.COMMON_NAME, common))
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts])


def _certificate(common: str, key: Any, issuer_key: Any, *, ca: bool) -> x509.Certificate:
    usage = x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(common))
        .issuer_name(_name("Test authority"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGIN)
        .not_valid_after(END)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if not ca:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


@cache
def identity() -> tuple[bytes, bytes, str]:
    """Certificates, key and the authority's certificate, PEM."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate("Test authority", authority_key, authority_key, ca=True)
    leaf = _certificate("Test camera", key, authority_key, ca=False)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return leaf.public_bytes(pem) + root.public_bytes(pem), private, root.public_bytes(pem).decode()


def jpeg() -> bytes:
    """A picture with nothing in it but noise."""
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "JPEG")
    return out.getvalue()


def signed(content: bytes | None = None, kind: str = "image/jpeg", address: str | None = None) -> bytes:
    """A signed file; with an address it only says where its credentials lie."""
    certificates, key, _ = identity()
    out = io.BytesIO()
    with (
        c2pa.Signer.from_info(c2pa.C2paSignerInfo("es256", certificates, key, None)) as signer,
        c2pa.Builder(MANIFEST) as builder,
    ):
        if address:
            builder.set_remote_url(address)
            builder.set_no_embed()
        builder.sign(signer, kind, io.BytesIO(content or jpeg()), out)
    return out.getvalue()


@contextmanager
def listener() -> Iterator[tuple[str, list[str]]]:
    """An address on loopback, and what was asked for there."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/manifest.c2pa", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
