"""Numbers, sizes and times as each language writes them."""

from datetime import UTC, datetime, timedelta

import pytest

from web import formatting

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("size", "locale", "words"),
    [(0, "en", "0 B"), (1023, "en", "1,023 B"), (1536, "en", "1.5 KiB"), (1536, "de", "1,5 KiB"),
     (1024**3 - 1, "en", "1 GiB"), (None, "en", "\N{EN DASH}")],
)  # fmt: skip
def test_sizes_are_binary(size: int | None, locale: str, words: str) -> None:
    assert plain(formatting.filesize(size, locale)) == words


@pytest.mark.parametrize(
    ("seconds", "locale", "words"),
    [(1.64, "en", "1.6 sec"), (200, "en", "3 min 20 sec"), (200, "de", "3 Min. 20 Sek."), (3600, "en", "1 hr"),
     (90_061, "zh", "1天 1小时"), (59.7, "en", "1 min")],
)  # fmt: skip
def test_durations_name_two_units(seconds: float, locale: str, words: str) -> None:
    assert plain(formatting.duration(seconds, locale)) == words


def test_a_moment_says_how_long_ago_and_keeps_the_exact_time() -> None:
    words = formatting.ago(NOW - timedelta(minutes=5), NOW, "de")
    assert "vor 5 Minuten" in words
    assert 'datetime="2026-03-01T11:55:00+00:00"' in words


@pytest.mark.parametrize("seconds", [-0.4, 0.0, 0.4])
def test_this_very_moment_is_not_in_the_future(seconds: float) -> None:
    words = [plain(formatting.ago(NOW + timedelta(seconds=seconds), NOW, locale)) for locale in ("en", "de", "zh")]
    assert [said.partition(">")[2].removesuffix("</time>") for said in words] == [
        "1 second ago",
        "vor 1 Sekunde",
        "1秒钟前",
    ]


def test_filters_take_the_naive_utc_of_rows() -> None:
    filters = formatting.filters(lambda: "en", lambda: NOW)
    assert "5 minutes ago" in filters["ago"](datetime(2026, 3, 1, 11, 55))  # noqa: DTZ001 - as a row holds it
    assert filters["ago"](None) == "\N{EN DASH}"


@pytest.mark.parametrize(
    ("value", "locale", "words"),
    [(1234567, "en", "1,234,567"), (1234567, "de", "1.234.567"), (0.71234, "de", "0,7123"),
     (1e-5, "en", "1e-05"), (0, "en", "0")],
)  # fmt: skip
def test_numbers(value: float, locale: str, words: str) -> None:
    assert formatting.number(value, locale) == words


def test_shares_with_their_interval() -> None:
    assert formatting.percent(0.9688, "en") == "96.9%"
    assert plain(formatting.percent(1.0, "de")) == "100 %"
    assert plain(formatting.percent_interval(0.5, 0.25, 0.75, "en")) == "50% (25% \N{EN DASH} 75%)"
