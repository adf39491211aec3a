"""Settings: what is absent has its default, what is wrong is named with what was expected."""

import dataclasses
from pathlib import Path

import pytest

from core import config
from core.config import CHECKOUT, SETTINGS, WrongSetting, read


def test_nothing_set_gives_the_embedded_server_on_this_machine_only() -> None:
    settings = read({})
    assert settings.database_url is None
    assert settings.owner_url is None
    assert settings.state_dir == CHECKOUT / ".lpg"
    assert settings.keyring_path == CHECKOUT / ".lpg/keyring.json"
    assert (settings.bind_host, settings.bind_port) == ("127.0.0.1", 8105)
    assert settings.public_url == "http://127.0.0.1:8105"
    assert (settings.threads, settings.log_level, settings.demo_clock) == (4, "info", False)
    assert settings.workers >= 1


def test_what_is_set_is_read() -> None:
    settings = read(
        {
            "LPG_DATABASE_URL": "postgresql://lpg_app@db/lpg",
            "LPG_OWNER_URL": "postgresql+psycopg://lpg@db/lpg",
            "LPG_STATE_DIR": "/var/lib/lpg",
            "LPG_BIND_HOST": "::1",
            "LPG_BIND_PORT": "80",
            "LPG_WORKERS": "3",
            "LPG_THREADS": "8",
            "LPG_LOG_LEVEL": "WARNING",
            "HOME": "/nowhere",
        }
    )
    assert settings.database_url == "postgresql+psycopg://lpg_app@db/lpg"
    assert settings.owner_url == "postgresql+psycopg://lpg@db/lpg"
    assert settings.keyring_path == Path("/var/lib/lpg/keyring.json")
    assert settings.public_url == "http://[::1]:80"
    assert (settings.workers, settings.threads, settings.log_level) == (3, 8, "warning")


def test_the_owner_is_the_application_where_only_one_address_is_given() -> None:
    assert read({"LPG_DATABASE_URL": "postgresql://a@b/c"}).owner_url == "postgresql+psycopg://a@b/c"


def test_a_public_address_loses_the_slash_at_its_end() -> None:
    assert read({"LPG_PUBLIC_URL": "https://lpg.example.org/"}).public_url == "https://lpg.example.org"


@pytest.mark.parametrize(
    ("name", "given", "line"),
    [
        ("LPG_BIND_PORT", "abc", "LPG_BIND_PORT: expected a port between 1 and 65535, got 'abc'"),
        ("LPG_BIND_PORT", "0", "LPG_BIND_PORT: expected a port between 1 and 65535, got '0'"),
        ("LPG_BIND_PORT", "65536", "LPG_BIND_PORT: expected a port between 1 and 65535, got '65536'"),
        ("LPG_BIND_PORT", "٨١", "LPG_BIND_PORT: expected a port between 1 and 65535, got '٨١'"),
        ("LPG_BIND_PORT", "8_1", "LPG_BIND_PORT: expected a port between 1 and 65535, got '8_1'"),
        ("LPG_BIND_PORT", "81\n", "LPG_BIND_PORT: expected a port between 1 and 65535, got '81\\n'"),
        ("LPG_BIND_HOST", "", "LPG_BIND_HOST: expected a host name or address, got ''"),
        ("LPG_THREADS", "-1", "LPG_THREADS: expected a number between 1 and 256, got '-1'"),
        ("LPG_WORKERS", "two", "LPG_WORKERS: expected a number between 1 and 256, got 'two'"),
        ("LPG_STATE_DIR", " ", "LPG_STATE_DIR: expected a path, got ' '"),
        ("LPG_LOG_LEVEL", "loud", "LPG_LOG_LEVEL: expected one of debug, info, warning, error, got 'loud'"),
        ("LPG_MESSAGES", "post", "LPG_MESSAGES: expected one of file, console, http, off, got 'post'"),
        ("LPG_METRICS", "all", "LPG_METRICS: expected one of off, loopback, open, got 'all'"),
        ("LPG_DEMO_CLOCK", "yes", "LPG_DEMO_CLOCK: expected 0 or 1, got 'yes'"),
        (
            "LPG_PUBLIC_URL",
            "lpg.example.org",
            "LPG_PUBLIC_URL: expected an address like https://lpg.example.org, got 'lpg.example.org'",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_expected(name: str, given: str, line: str) -> None:
    with pytest.raises(WrongSetting) as wrong:
        read({name: given})
    assert str(wrong.value) == line


@pytest.mark.parametrize("name", ["LPG_DATABASE_URL", "LPG_OWNER_URL"])
@pytest.mark.parametrize("given", ["mysql://root:secret@db/lpg", "root:secret@db/lpg", "postgresql://", ""])
def test_a_wrong_database_address_is_refused_without_showing_its_password(name: str, given: str) -> None:
    with pytest.raises(WrongSetting) as wrong:
        read({"LPG_DATABASE_URL": "postgresql://a@b/c", name: given})
    assert str(wrong.value).startswith(f"{name}: expected postgresql://role:password@host/dbname, got ")
    assert "secret" not in str(wrong.value)


def test_printing_the_settings_shows_no_password() -> None:
    settings = read({"LPG_DATABASE_URL": "postgresql://a:secret@b/c"})
    assert "secret" not in repr(settings)


def test_a_misspelt_setting_is_named_with_the_one_that_was_meant() -> None:
    with pytest.raises(WrongSetting) as wrong:
        read({"LPG_DATABSE_URL": "postgresql://a@b/c"})
    assert str(wrong.value) == "LPG_DATABSE_URL: no such setting; is LPG_DATABASE_URL meant?"


def test_every_wrong_setting_is_named_not_only_the_first() -> None:
    with pytest.raises(WrongSetting) as wrong:
        read({"LPG_BIND_PORT": "x", "LPG_THREADS": "y", "LPG_QQ": "z"})
    assert [line.split(":")[0] for line in str(wrong.value).splitlines()] == [
        "LPG_QQ",
        "LPG_BIND_PORT",
        "LPG_THREADS",
    ]


def test_the_demo_clock_never_stands_beside_a_database_of_ones_own() -> None:
    assert read({"LPG_DEMO_CLOCK": "1"}).demo_clock
    with pytest.raises(WrongSetting, match="LPG_DEMO_CLOCK"):
        read({"LPG_DEMO_CLOCK": "1", "LPG_DATABASE_URL": "postgresql://a@b/c"})
    assert not read({"LPG_DEMO_CLOCK": "0", "LPG_DATABASE_URL": "postgresql://a@b/c"}).demo_clock


def test_an_owner_without_a_database_is_refused() -> None:
    with pytest.raises(WrongSetting, match="LPG_OWNER_URL: expected LPG_DATABASE_URL beside it"):
        read({"LPG_OWNER_URL": "postgresql://a@b/c"})


def test_every_setting_is_read_and_explained() -> None:
    assert set(SETTINGS) == {f"LPG_{field.name.upper()}" for field in dataclasses.fields(config.Config)}
    assert all(name in config.settings_text() for name in SETTINGS)


def test_messages_by_http_need_a_gateway_that_nobody_can_listen_in_on() -> None:
    by_http = {"LPG_MESSAGES": "http", "LPG_MESSAGE_TOKEN": "secret"}
    with pytest.raises(WrongSetting, match="LPG_MESSAGE_URL: expected the gateway's address"):
        read(by_http)
    for wrong_url in (
        "http://sms.example.org/send",
        "sms.example.org",
        "https://user:secret@sms.example.org",
    ):
        with pytest.raises(WrongSetting) as wrong:
            read(by_http | {"LPG_MESSAGE_URL": wrong_url})
        assert "LPG_MESSAGE_URL: expected an address like" in str(wrong.value)
        assert "secret" not in str(wrong.value)
    for url in ("https://sms.example.org/send?v=1", "http://127.0.0.1:9000/send"):
        settings = read(by_http | {"LPG_MESSAGE_URL": url})
        assert settings.message_url == url
        assert "secret" not in repr(settings)


@pytest.mark.parametrize("given", ["962777", "021-6296 0000", "+86 21 62960000"])
def test_a_hotline_is_a_telephone_number(given: str) -> None:
    assert read({"LPG_HOTLINE": given}).hotline == given
    with pytest.raises(WrongSetting, match="LPG_HOTLINE"):
        read({"LPG_HOTLINE": f'{given}"><b>'})
