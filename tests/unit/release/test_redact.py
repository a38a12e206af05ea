"""Nothing that is secret is left in a text, whatever form it takes; and what is not stays readable."""

from __future__ import annotations

import pytest

from nuages.release.plan.values import forms
from nuages.release.redact import known, secret, text, variable

pytestmark = pytest.mark.unit

SECRETS = [
    "postgres://blog:hunter2horse@db.internal:5432/blog",
    "postgres://blog:p@ss/wo:rd@db.internal/blog",
    "postgresql+psycopg://blog:hunter2horse@db/blog?sslmode=require",
    "redis://:hunter2horse@cache:6379/0",
    "rediss://default:hunter2horse@cache:6380",
    "amqp://guest:hunter2horse@rabbit:5672//",
    "mysql://root:hunter2horse@db/blog",
    "mongodb+srv://u:hunter2horse@cluster0.example.net/x",
    "smtp+tls://mailer:hunter2horse@smtp.example.com:587",
    "https://0123456789abcdef0123456789abcdef@o1.ingest.example.com/42",
    "https://user:hunter2horse@git.example.com/x.git",
    "https://example.com/hook?token=hunter2horse&x=1",
    "https://bucket.example.com/a?X-Amz-Signature=hunter2horse",
    "host=db user=blog password=hunter2horse dbname=blog",
    "host=db user=blog password='hunter2 horse' dbname=blog",
    "Authorization: Bearer hunter2horse.hunter2horse",
    "api_key=hunter2horse",
    "ALTER ROLE blog WITH PASSWORD 'hunter2horse'",
    "CREATE USER 'x' IDENTIFIED BY 'hunter2''horse'",
    "--password=hunter2horse",
    '{"level": "error", "password": "hunter2horse", "user": "x"}',
    "{'SECRET_KEY': 'hunter2\\'horse', 'DEBUG': False}",
    '{"event": "{\\"db_password\\": \\"hunter2horse\\"}"}',
    "{'EMAIL_HOST_PASSWORD': b'hunter2horse'}",
    "-----BEGIN RSA PRIVATE KEY-----\nhunter2horse\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nhunter2horse",
    "https://hooks.slack.com/services/T0/B0/hunter2horse",
    "https://discord.com/api/webhooks/42/hunter2horse",
    "DefaultEndpointsProtocol=https;AccountName=blog;AccountKey=hunter2horse==;EndpointSuffix=example.com",
    "Endpoint=sb://blog.example.com/;SharedAccessKeyName=all;SharedAccessKey=hunter2horse=",
]


@pytest.mark.parametrize("said", SECRETS)
def test_what_a_url_a_parameter_or_a_key_hides_is_not_shown(said: str) -> None:
    shown = text(f"it says {said} and more")
    assert "***" in shown
    assert not any(part in shown for part in ("hunter2", "p@ss", "wo:rd", "0123456789abcdef"))


@pytest.mark.parametrize(
    "said",
    [
        "registry.example.com/acme/blog@sha256:" + "1" * 64,
        "https://blog.example.com/news/?page=2",
        "mail@example.com",
        "http://blog-web-main:8000/-/ready",
        'ALTER TABLE "posts_post" ADD COLUMN "subtitle" varchar(100) NULL',
        "redis://cache:6379/0",
        "[python,-m,nuages_runtime.serve]",
        "postgres://db.internal:5432/blog",
    ],
)
def test_what_hides_nothing_stays_as_it_is(said: str) -> None:
    assert text(said) == said


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("SECRET_KEY", True),
        ("DJANGO_SECRET_KEY_FALLBACKS", True),
        ("STRIPE_API_KEY", True),
        ("SENTRY_DSN", True),
        ("DB_PASSWORD", True),
        ("POSTGRES_PASSWD", True),
        ("dbPassword", True),
        ("GITHUB_TOKEN", True),
        ("AWS_SECRET_ACCESS_KEY", True),
        ("EMAIL_HOST_PASSWORD", True),
        ("JWT_SIGNING_KEY", True),
        ("FIELD_ENCRYPTION_KEYS", True),
        ("DBPASS", True),
        ("HTPASSWD", True),
        ("ADMIN_PASSWORDS", True),
        ("JWTSECRET", True),
        ("MAILGUN_APITOKEN", True),
        ("GITHUB_PAT", True),
        ("REGISTRY_CREDS", True),
        ("COLOR", False),
        ("PATH", False),
        ("ALLOWED_HOSTS", False),
        ("STRIPE_PUBLIC_KEY", False),
        ("STRIPE_PUBLISHABLE_KEY", False),
        ("ACCESS_TOKEN_LIFETIME", False),
        ("CACHE_KEY_PREFIX", False),
        ("MONKEY", False),
        ("COMPASS", False),
        ("TOKENIZERS_PARALLELISM", False),
    ],
)
def test_a_variable_is_hidden_by_what_it_is_called(name: str, hidden: bool) -> None:
    assert secret(name) is hidden
    assert (variable(name, "value") == "***") is hidden


def test_a_value_that_is_known_is_taken_out_of_any_text_in_any_form() -> None:
    hide = known(list(forms([b"s3cr3t/w+rd p", b"short", b"ab"])))
    said = hide("one s3cr3t/w+rd p, two s3cr3t%2Fw%2Brd%20p, three s3cr3t%2Fw%2Brd+p; short, and ab stays")
    assert "s3cr3t" not in said
    assert said.startswith("one ***, two ***, three ***; ***")


def test_a_key_of_several_lines_is_known_by_each_of_them() -> None:
    hide = known(list(forms([b"first line of a long key\nsecond line of a long key\n"])))
    assert hide("log: second line of a long key") == "log: ***"
