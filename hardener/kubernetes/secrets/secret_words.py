"""What secrets look like: key words, placeholders, default passwords. Tables, and the tests that read them."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import pairwise

_STRONG = frozenset(
    "password passwords passwd passphrase passcode pwd pswd pass secret secrets token apikey secretkey credential"
    " credentials creds htpasswd bearer accesskey privatekey authtoken clientsecret dbpass dbpassword requirepass"
    " masterauth sshpass storepass keypass rootpass userpass adminpass".split()
)
_STRONG_PAIRS = frozenset(
    tuple(pair.split("-"))
    for pair in (
        "api-key access-key private-key signing-key encryption-key master-key secret-key license-key account-key"
        " storage-key auth-key session-key ssh-key jwt-key cookie-key connection-string webhook-url db-pass secret-id"
        " key-data"
    ).split()
)
_STRONG_ENDINGS = tuple("password passwd passphrase secret apikey token secretkey accesskey privatekey".split())
_WEAK_TAILS = frozenset("key dsn auth salt pem".split())
# A key that ends so speaks about a secret (its file, its age, its holder) and is not one.
_ABOUT = frozenset(
    "file files path paths dir directory name names ref refs enabled enable disabled ttl expiry expiration"
    " expires expire timeout duration length len size min max count limit limits policy type mode format algorithm"
    " algo alg issuer audience audiences header host hostname hosts port endpoint uri server provider backend"
    " store engine mount version field column prefix suffix required rotation interval period validity refresh"
    " cache scope scopes method hash claim pattern regex hint env url admins template namespace username user"
    " users public kind manager id ids label labels annotation annotations class role roles created verify bucket"
    " cookie retention seconds minutes hours days allowed strategy source location dns domain description message"
    " title text database project region cluster email image repository tag digest checksum sha selector existing"
    " group groups resource resources plugin supported".split()
)
# A key that ends so holds a name, whatever else it is about: of a database, a user, a host, a place.
_NAMES = frozenset(
    "account addr alias app application broker brokers catalog channel collection db dialect driver env environment"
    " from index instance ip keyspace locale login mail nodes org organization owner peers project protocol queue"
    " realm recipient schema scheme sender servers service site stage tenant timezone to topic tz vhost workspace"
    " zone".split()
)
_PUBLIC = frozenset(("public", "pub"))
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")

_PLACEHOLDER = r"""(?ix)
    \$\{[^}]*\} | \$\([^)]*\) | (?-i:\$[A-Z_][A-Z0-9_]*) | %[A-Z_]+%
    | \{\{.*\}\} | <[^<>]*> | \[[^\]]*\] | __[A-Z0-9_]+__ | @@?[\w.\-]+@@? | (?:\u2039redacted\#\d+\u203a)+
    | (?:ref\+ | vault: | secret: | op:// | awssm: | arn:aws[\w\-]*:(?:secretsmanager|ssm): | gcpsm: | azurekv:
        | keyvault: | akv: | file: | env: | sops: | ENC\[ | AVP_ | <path:).*
    | change[_\- ]?(?:me|it|this)[\w .!\-]* | replace[_\- ]?(?:me|this|with)?[a-z0-9_ .\-]*
    | your[a-z_\- ]* | your[_\- ].* | my[_\-]?(?:secret|password|token|key)
    | (?:example|sample|dummy|placeholder|todo|fixme|insert|fill)[a-z _.:\-]*\d{0,3} | redacted | masked | hidden
    | [x*.\-_]{3,} | - | _ | none | null | nil | true | false | yes | no | on | off | enabled | disabled | default
    | unset | empty | n/?a | undefined | string | str | bytes | object | boolean | optional | required
    | \d+(?:\.\d+)?(?:ms|s|m|h|d)?
"""
_WEAK_VALUE = (
    r"(?i)(?:admin|root|password|passwd|passw0rd|secret|test|testing|postgres|postgresql|mysql|guest|minio|minioadmin|"
    r"rabbitmq|redis|mongo|mongodb|elastic|changeme|user|pass|toor|letmein|qwerty|default|changeit|welcome|hello|demo|"
    r"cassandra)\d*"
)
_PATH = r"(?:/[\w.\-]+)+/?|[A-Za-z_.\-]+(?:/[A-Za-z_.\-]+){2,}|\.{0,2}/[\w./\-]*|~/[\w./\-]*|[A-Za-z]:\\[\w.\\ \-]*"
_URL = r"[A-Za-z][A-Za-z0-9+.\-]*://\S+"


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The compiled pattern; made at the first use, since most runs need few and importing must cost nothing."""
    return re.compile(pattern)


@lru_cache(maxsize=8192)
def key_words(key: str) -> tuple[str, ...]:
    """The words of a key in lower case, split at anything but letters and digits and at camelCase; last numbers go."""
    found = [word.lower() for word in _WORD.findall(key)]
    while len(found) > 1 and found[-1].isdigit():
        found.pop()
    return tuple(found)


@lru_cache(maxsize=8192)
def key_strength(key: str) -> int:
    """2 when a key names a secret, 1 when it may, 0 when it does not or only speaks about one."""
    words = key_words(key)
    if not words or _PUBLIC.intersection(words) or (words[-1] in _ABOUT and words[-2:] not in _STRONG_PAIRS):
        return 0
    if not _STRONG.isdisjoint(words) or any(pair in _STRONG_PAIRS for pair in pairwise(words)):
        return 2
    if key.rstrip("0123456789_-. ").lower().endswith(_STRONG_ENDINGS):
        return 2
    if words[-1] == "authorization":
        return 2
    return 1 if words[-1] in _WEAK_TAILS else 0


def speaks_about(key: str) -> bool:
    """True when a key ends in a word like ``username``, ``host`` or ``type``: what it holds is a name, not a secret."""
    words = key_words(key)
    if not words or words[-2:] in _STRONG_PAIRS or key_strength(key) > 1:
        return False
    return words[-1] in _ABOUT or words[-1] in _NAMES or words[-1].endswith(("name", "user", "host", "url", "address"))


def is_placeholder(value: str) -> bool:
    """True for text that stands where a secret will be: empty, a variable, a reference, "change-me", a number."""
    value = value.strip()
    if value.startswith(("http://", "https://")):
        return False
    return not value or compiled(_PLACEHOLDER).fullmatch(value) is not None


def is_weak(value: str) -> bool:
    """True for the default passwords everyone tries first."""
    return compiled(_WEAK_VALUE).fullmatch(value.strip()) is not None


def is_random(word: str) -> bool:
    """True when one unbroken word of 20 or more characters mixes digits with both cases, as keys and tokens do."""
    return (
        len(word) >= 20
        and any(c.isdigit() for c in word)
        and any(c.islower() for c in word)
        and any(c.isupper() for c in word)
    )


def is_path(value: str) -> bool:
    """True for a path of a file; base64 text that happens to begin with a slash is none."""
    return compiled(_PATH).fullmatch(value) is not None and not any(map(is_random, value.split("/")))


def is_url(value: str) -> bool:
    """True for a URL as a whole. Whether it carries a credential is what structured() tells."""
    return compiled(_URL).fullmatch(value) is not None
