"""Secrets as they are in the wild, one of each kind, for the tests of what is masked. None of them is one: each is
made of parts when the tests run, and so that no two are alike."""

from __future__ import annotations

import base64
import json
import random
import string
from typing import NamedTuple

_ALNUM = string.ascii_letters + string.digits


class Secret(NamedTuple):
    """``text`` is what stands in a place, ``value`` the part of it that is secret. ``structured``: its form alone
    betrays it, wherever it stands."""

    kind: str
    text: str
    value: str
    structured: bool


_chance = random.Random(1605)


def _some(length: int, letters: str = _ALNUM) -> str:
    """Letters with at least a digit, a small and a capital one, where ``letters`` has them."""
    while True:
        made = "".join(_chance.choices(letters, k=length))
        if all(not set(kind) <= set(letters) or set(kind) & set(made) for kind in _KINDS):
            return made


_KINDS = (string.digits, string.ascii_lowercase, string.ascii_uppercase)
_HEX = "0123456789abcdef"
_LOWER = string.ascii_lowercase + string.digits
_UPPER = string.ascii_uppercase + string.digits
_BASE32 = string.ascii_uppercase + "234567"


def _uuid() -> str:
    return "-".join(_some(length, _HEX) for length in (8, 4, 4, 4, 12))


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _b64_key(length: int) -> str:
    """Bytes in base64 that are no text."""
    return base64.b64encode(b"\xf3" + _chance.randbytes(length - 1)).decode()


def _url_key(length: int) -> str:
    return _b64_key(length).replace("+", "-").replace("/", "_")


def _jwt() -> str:
    parts = json.dumps({"alg": "HS256", "typ": "JWT"}), json.dumps({"sub": _some(12), "iat": 1716239022})
    return ".".join([*(_b64(part).rstrip("=") for part in parts), _some(43)])


def _key(kind: str, dashes: str = "-" * 5) -> str:
    body = "\n".join(_some(64) for _ in range(3))
    return f"{dashes}BEGIN {kind}PRIVATE KEY{dashes}\n{body}\n{dashes}END {kind}PRIVATE KEY{dashes}"


def _tokens() -> list[tuple[str, str]]:
    """(kind, token)"""
    return [
        ("AWS access key", "AKIA" + _some(16, _BASE32)),
        ("AWS temporary key", "ASIA" + _some(16, _BASE32)),
        ("Google API key", "AIza" + _some(35)),
        ("Google OAuth token", "ya29." + _some(60)),
        ("Google OAuth client", "GOCSPX-" + _some(28)),
        ("Azure AD client", _some(3) + "8Q~" + _some(34)),
        ("Azure storage account", "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=" + _some(86) + "=="),
        ("Azure shared access", "https://shop.blob.core.windows.net/c?sv=2022&sp=r&sig=" + _some(43) + "%3D"),
        ("Alibaba", "LTAI" + _some(20)),
        ("DigitalOcean", "dop_v1_" + _some(64, _HEX)),
        ("Heroku", "HRKU-AA" + _some(58)),
        ("Fly", "fo1_" + _some(43)),
        ("Fly macaroon", "fm2_" + _some(60)),
        ("Fly header", "FlyV1 fm2_" + _some(180) + ",fm2_" + _some(90) + "=="),
        ("Google refresh token", "1//0" + _some(5) + "-" + _some(70)),
        ("Scalingo", "tk-us-" + _some(48)),
        ("GitHub classic", "ghp_" + _some(36)),
        ("GitHub app", "ghs_" + _some(36)),
        ("GitHub OAuth", "gho_" + _some(36)),
        ("GitHub fine-grained", "github_pat_" + _some(22) + "_" + _some(59)),
        ("GitLab", "glpat-" + _some(20)),
        ("GitLab deploy", "gldt-" + _some(20)),
        ("GitLab runner", "glrt-" + _some(20)),
        ("GitLab trigger", "glptt-" + _some(40, _HEX)),
        ("GitLab registration", "GR1348941" + _some(20)),
        ("Bitbucket", "ATBB" + _some(32)),
        ("npm", "npm_" + _some(36)),
        ("PyPI", "pypi-AgEIcHlwaS5vcmc" + _some(70)),
        ("RubyGems", "rubygems_" + _some(48, _HEX)),
        ("Docker Hub", "dckr_pat_" + _some(27)),
        ("Artifactory", "AKCp" + _some(69)),
        ("CircleCI", "CCIPAT_" + _some(22) + "_" + _some(40, _HEX)),
        ("Buildkite", "bkua_" + _some(40, _LOWER)),
        ("Pulumi", "pul-" + _some(40, _HEX)),
        ("Terraform Cloud", _some(14) + ".atlasv1." + _some(67)),
        ("Databricks", "dapi" + _some(32, _HEX)),
        ("Vault", "hvs." + _some(95)),
        ("Vault batch", "hvb." + _some(140)),
        ("age", "AGE-SECRET-KEY-1" + _some(58, _UPPER)),
        ("OpenShift", "sha256~" + _some(43)),
        ("1Password account", "ops_eyJ" + _some(260)),
        ("Doppler", "dp.pt." + _some(43)),
        ("Tailscale", "tskey-auth-" + _some(17) + "-" + _some(32)),
        ("JSON web token", _jwt()),
        ("Slack bot", "xox" + "b-" + _some(12, string.digits) + "-" + _some(12, string.digits) + "-" + _some(24)),
        ("Slack app", "xapp-1-A" + _some(10, _UPPER) + "-" + _some(13, string.digits) + "-" + _some(64, _HEX)),
        ("Slack webhook", f"https://hooks.slack.com/services/T{_some(9, _UPPER)}/B{_some(9, _UPPER)}/{_some(24)}"),
        ("Telegram bot", _some(10, string.digits) + ":AA" + _some(33)),
        ("Mailchimp", _some(32, _HEX) + "-us12"),
        ("Mailgun", "key-" + _some(32, _HEX)),
        ("SendGrid", "SG." + _some(22) + "." + _some(43)),
        ("Twilio", "SK" + _some(32, _HEX)),
        ("Stripe", "sk_live_" + _some(24)),
        ("Stripe restricted", "rk_live_" + _some(24)),
        ("Square", "sq0atp-" + _some(22)),
        ("Shopify", "shpat_" + _some(32, _HEX)),
        ("OpenAI", "sk-proj-" + _some(74) + "T3BlbkFJ" + _some(74)),
        ("Anthropic", "sk-ant-api03-" + _some(93) + "AA"),
        ("Hugging Face", "hf_" + _some(34)),
        ("Groq", "gsk_" + _some(52)),
        ("Replicate", "r8_" + _some(37)),
        ("Grafana", "glsa_" + _some(32) + "_" + _some(8, _HEX)),
        ("Grafana Cloud", "glc_" + _some(80)),
        ("Dynatrace", "dt0c01." + _some(24, _UPPER) + "." + _some(64, _UPPER)),
        ("New Relic", "NRAK-" + _some(27, _UPPER)),
        ("Sentry", "sntryu_" + _some(64, _HEX)),
        ("Atlassian", "ATATT3" + _some(186)),
        ("Linear", "lin_api_" + _some(40)),
        ("Notion", "ntn_" + _some(11, string.digits) + _some(35)),
        ("Postman", "PMAK-" + _some(24, _HEX) + "-" + _some(34, _HEX)),
        ("Figma", "figd_" + _some(40)),
        ("PlanetScale", "pscale_pw_" + _some(43)),
        ("Supabase", "sbp_" + _some(40, _LOWER)),
        ("AWS Bedrock", "ABSK" + _some(128)),
        ("AWS session", "IQoJb3JpZ2lu" + _some(300) + "=="),
        ("Airtable", "pat" + _some(14) + "." + _some(64, _HEX)),
        ("SonarQube", "sqp_" + _some(40, _HEX)),
        ("Contentful", "CFPAT-" + _some(43)),
        ("Netlify", "nfp_" + _some(36)),
        ("HubSpot", "pat-na1-" + _uuid()),
        ("LaunchDarkly", "sdk-" + _uuid()),
        ("Resend", "re_" + _some(8) + "_" + _some(24)),
        ("Firebase", "AAAA" + _some(7) + ":APA91b" + _some(134)),
        ("Dropbox", "sl.B" + _some(134)),
        ("Salesforce", "00D" + _some(15) + "!AQ" + _some(94)),
        ("bcrypt", "$2y$10$" + _some(53)),
        ("SHA-512 crypt", "$6$" + _some(16) + "$" + _some(86)),
        ("htpasswd", "$apr1$" + _some(8) + "$" + _some(22)),
        ("RSA key", _key("RSA ")),
        ("OpenSSH key", _key("OPENSSH ")),
        ("PKCS 8 key", _key("")),
    ]  # fmt: skip


def _in_place() -> list[tuple[str, str, str]]:
    """(kind, text with a pair of braces, secret): what only the place tells."""
    return [
        ("URL of PostgreSQL", "postgres://shop:{}@db.example.com:5432/shop", _some(18)),
        ("URL of MongoDB", "mongodb+srv://shop:{}@cluster0.example.net/shop?retryWrites=true", _some(18)),
        ("URL of AMQP", "amqp://shop:{}@rabbit:5672/%2f", _some(18)),
        ("URL of Redis", "redis://:{}@redis:6379/0", _some(18)),
        ("URL with a slash in it", "postgres://shop:{}@db.example.com:5432/shop", f"{_some(8)}/{_some(8)}"),
        ("URL with a token", "https://{}@git.example.com/shop.git", _some(24)),
        ("JDBC", "jdbc:postgresql://db:5432/shop?user=shop&password={}", _some(18)),
        ("JDBC of SQL Server", "jdbc:sqlserver://db:1433;user=shop;password={};encrypt=true", _some(18)),
        ("JDBC of Oracle", "jdbc:oracle:thin:shop/{}@db:1521/shop", _some(18)),
        ("DSN of Go", "shop:{}@tcp(db:3306)/shop?parseTime=true", _some(18)),
        ("DSN of libpq", "host=db user=shop password={} dbname=shop sslmode=require", _some(18)),
        ("ODBC", "Driver={{ODBC Driver 18}};Server=db;Uid=shop;Pwd={};", _some(18)),
        ("flag with a blank", "serve --db-password {} --verbose", _some(18)),
        ("flag with a sign", "serve --db-password={} --verbose", _some(18)),
        ("mysql", "mysql -h db -ushop -p{} -e 'select 1'", _some(18)),
        ("variable before a command", "PGPASSWORD={} psql -h db", _some(18)),
        ("curl", "curl -u shop:{} https://api.example.com/", _some(18)),
        ("header of a token", "curl -H 'X-Api-Key: {}' https://api.example.com/", _some(32)),
        ("bearer", "Authorization: Bearer {}", _some(40)),
        ("basic", "Authorization: Basic {}", _b64(f"shop:{_some(18)}")),
        ("redis-cli", "redis-cli -h redis -a {} ping", _some(18)),
        ("docker login", "docker login -u shop -p {} registry.example.com", _some(18)),
        ("pair of an ini file", "db_password = {}", _some(18)),
        ("JSON", '{{"clientSecret": "{}", "clientId": "shop"}}', _some(32)),
        ("docker config", '{{"auths": {{"registry.example.com": {{"auth": "{}"}}}}}}', _b64(f"shop:{_some(18)}")),
        ("webhook", "https://outlook.office.com/IncomingWebhook/{}", f"{_some(32, _HEX)}/{_uuid()}"),
        ("Fernet key", "{}", _url_key(32)),
        ("storage account key", "{}", _b64_key(64)),
        ("sshpass with a blank", "sshpass -p {} ssh shop@bastion", _some(10)),
        ("sshpass without one", "sshpass -p{} ssh shop@bastion", _some(10)),
        ("variable of sshpass", "SSHPASS={} sshpass -e ssh shop@bastion", _some(10)),
        ("Authorization of one word", "Authorization: {}", f"{_some(11)}!"),
        ("Proxy-Authorization", "Proxy-Authorization: Basic {}", _b64(f"shop:{_some(18)}")),
        ("GitLab header", "curl --header 'PRIVATE-TOKEN: {}' https://git.example.com/", _some(20)),
        ("Vault header", "curl -H 'X-Vault-Token: {}' https://vault.example.com/", _some(26)),
        ("AWS secret key", "aws configure set aws_secret_access_key {}", _some(40)),
        ("S3 secret", "AWS_SECRET_ACCESS_KEY={} aws s3 ls", _some(40)),
        ("npmrc", "//registry.npmjs.org/:_authToken={}", _uuid()),
        ("netrc", "machine git.example.com login shop password {}", _some(18)),
        ("pgpass", "db.example.com:5432:shop:shop:{}", _some(18)),
        ("JAAS", 'PlainLoginModule required username="shop" password="{}";', _some(18)),
        ("redis.conf", "requirepass {}", _some(18)),
        ("keytool", "keytool -list -keystore k.jks -storepass {}", _some(12)),
        ("gpg", "gpg --batch --passphrase {} -d f.gpg", _some(14)),
        ("literal of kubectl", "kubectl create secret generic db --from-literal=password={}", _some(14)),
        ("OTP", "otpauth://totp/shop:me?secret={}&issuer=shop", _some(32, _BASE32)),
        ("WireGuard", "PrivateKey = {}", _b64_key(32)),
        ("query of a URL", "https://api.example.com/v1?api_key={}&page=1", _some(32)),
        ("XML", "<password>{}</password>", _some(18)),
        ("YAML", "password: {}", _some(18)),
        ("Datadog", "DD_API_KEY={} agent run", _some(32, _HEX)),
        ("proxy", "https_proxy=http://shop:{}@proxy:3128 run", _some(18)),
        ("sqlcmd", "sqlcmd -S db -U sa -P {} -Q 'select 1'", _some(14)),
        ("zip", "unzip -P {} data.zip", _some(14)),
        ("vault login", "vault login -method=userpass username=shop password={}", _some(14)),
        ("properties", "spring.datasource.password={}", _some(14)),
    ]  # fmt: skip


TOKENS = [Secret(kind, token, token, True) for kind, token in _tokens()]
IN_PLACE = [Secret(kind, text.format(value), value, False) for kind, text, value in _in_place()]
SECRETS = [*TOKENS, *IN_PLACE]

_WORDS = """
    account activity address adapter agent alerts analytics android annotation archive article asset assignment auction
    audit author autoscaler availability backend backlog backup balance bandwidth banner basket batch billing blog
    bookmark booking bottleneck branch browser budget buffer bundle business cache calendar campaign canary capacity
    carrier catalogue category channel checkout chemistry client cluster collector column comment commerce compass
    composer compute condition confirmation connector console consumer contact content contract controller conversion
    courier coupon crawler currency customer dashboard dataset deadline debugger decoder delivery department desktop
    developer device dictionary dimension directory discount discovery dispatcher document domain download draft driver
    economy edition editor education element email employee encoder endpoint engine enquiry entity environment episode
    estimate event exchange executor exporter extension fallback feature feedback fetcher filter finance firmware
    fleet flight folder forecast formatter forum forwarder framework frequency frontend fulfilment function gallery
    gateway generator geography grocery guardian handler hardware harvest headline health history holiday homepage
    hospital hostname hotel house identity image importer inbox incident indexer industry ingest insight installer
    insurance integration interface inventory invoice iterator journal journey jungle kernel keyboard keyspace kitchen
    language latency launcher ledger lesson library licence lifecycle listener loader location logistics loyalty
    machine magazine mailbox maintenance manager market material measure meeting member memory merchant message meter
    migration mirror mobile model module monitor monkey mountain navigation network newsletter notebook notice number
    observer offer office operator option orchard order organization origin outbox outlook overview owner package
    painter parcel parser partner passenger passport password-reset payload payment payroll pipeline planner platform
    player plugin portal position postal preference presence pricing printer priority processor product profile
    project promotion property proposal provider proxy publisher purchase quality quarter question queue quota radar
    railway ranking reader receipt recipe record recovery refund region registry reminder renderer rental replica
    report request reservation resolver resource response restaurant result retention review rollout router routine
    sandbox schedule schema scraper search season sector segment sender sensor sequence session settings shipment
    shopping signal silence simulator snapshot social software solution source speaker sponsor stadium station
    statistics stock storage storefront strategy streaming student studio subscriber suggestion summary supplier
    support survey switch symbol synchronizer table tariff taxonomy teacher template tenant terminal theatre thread
    ticket timeline tokenizer toolbox tourism tracker traffic trainer transfer translation transport traveller
    treasury trigger tutorial update upload usage validator valuation vehicle vendor venue version video village
    visitor volume voucher warehouse warranty weather webinar website weekday wholesale widget window workflow worker
    workshop worldwide writer yesterday zookeeper
    """.split()
_HEADS = (
    "/etc", "/var/lib", "/usr/share", "/opt", "/srv/www", "./config", "../base", "k8s", "deploy/prod", "/home/app",
)  # fmt: skip
_MIDDLES = ("nginx", "postgresql/data", "app", "keys-and-values", "auth", "tokens", "secret-store", "v2", "shop", "a.b")
_TAILS = ("conf.d/default.conf", "values.yaml", "main.py", "tls.crt", "README.md")
_PATHS = [f"{head}/{middle}/{tail}" for head in _HEADS for middle in _MIDDLES for tail in _TAILS]
ORDINARY = [
    *(Secret("word", word, word, False) for word in _WORDS),
    *(Secret("path", path, path, False) for path in _PATHS),
]
