"""Cipher suites of TLS: which are good, which are weak. Sources: CIS 4.2.12, crypto/tls.CipherSuites of Go."""

GOOD = tuple(
    f"TLS_ECDHE_{key}_WITH_{cipher}"
    for cipher in ("AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256")
    for key in ("ECDSA", "RSA")
)
"""With forward secrecy and authenticated encryption; HTTP/2 needs the first two."""

_OLD_NAMES = ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305")


def is_weak(suite: str) -> bool:
    """Whether a suite lacks forward secrecy or authenticated encryption; those of TLS 1.3 never do."""
    return suite not in GOOD and suite not in _OLD_NAMES and suite.startswith("TLS_") and "_WITH_" in suite
