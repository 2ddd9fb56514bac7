"""SealedSecrets: a value encrypted so that only the controller of a cluster reads it.

Source of the format: github.com/bitnami-labs/sealed-secrets pkg/crypto/crypto.go and pkg/apis/sealedsecrets/v1alpha1.
"""

from __future__ import annotations

import base64
import os

from hardener.errors import HardenError

API = "bitnami.com/v1alpha1"
_SESSION_KEY = 32  # bytes, of AES-256
_NONCE = bytes(12)  # a session key is used once


class SealingError(HardenError):
    """A value cannot be sealed; the message says why, for people."""


def seal(certificate: bytes, namespace: str, name: str, value: bytes) -> str:
    """``value`` for Secret ``namespace``/``name`` (scope strict) as `encryptedData` holds it.

    ``certificate`` is the PEM text that `kubeseal --fetch-cert` gives. Raises SealingError.
    """
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding, rsa
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise SealingError("sealing needs the library cryptography: pip install cryptography") from None
    try:
        key = x509.load_pem_x509_certificate(certificate).public_key()
    except ValueError:
        raise SealingError("the certificate for sealing is no PEM certificate") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise SealingError("the certificate for sealing has no RSA key")
    session = os.urandom(_SESSION_KEY)
    label = f"{namespace}/{name}".encode()
    wrapped = key.encrypt(session, padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), label))
    sealed = AESGCM(session).encrypt(_NONCE, value, None)
    return base64.b64encode(len(wrapped).to_bytes(2, "big") + wrapped + sealed).decode()
