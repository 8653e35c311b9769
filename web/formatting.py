"""How values look in a page: sizes, durations, times, numbers and shares, in the reader's language.

Pure functions; where words or separators occur they take a locale ("en", "de", "zh"). `filters` binds them to the
request's locale for Jinja: `{{ size|filesize }}`, `{{ seconds|duration }}`, `{{ moment|ago }}`, `{{ n|number }}`,
`{{ share|percent }}`.
"""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from babel import Locale
from babel.dates import format_datetime, format_timedelta
from babel.numbers import format_decimal, format_percent, get_decimal_symbol
from babel.units import format_unit
from markupsafe import Markup

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_STEP = 1024
_SPANS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_NONE = "\N{EN DASH}"
_SECOND = timedelta(seconds=1)


def filesize(size: int | None, locale: str) -> str:
    """Bytes in binary units, with at most one decimal: 1536 → "1.5 KiB"."""
    if size is None:
        return _NONE
    amount, power = float(size), 0
    while abs(round(amount, 1)) >= _STEP and power < len(_UNITS) - 1:
        amount, power = amount / _STEP, power + 1
    return f"{format_decimal(round(amount, 1), '#,##0.#', locale=locale)}\N{NO-BREAK SPACE}{_UNITS[power]}"


def duration(seconds: float | None, locale: str) -> str:
    """Seconds as its two largest units ("3 min 20 s"); below ten seconds with one decimal."""
    if seconds is None:
        return _NONE
    if abs(seconds) < 10:
        return format_unit(round(seconds, 1), "second", "short", "#,##0.#", locale=locale)
    left = round(seconds)
    parts: list[tuple[int, str]] = []
    for unit, length in _SPANS:
        count, left = divmod(left, length)
        if count or parts:
            parts.append((count, unit))
    return " ".join(format_unit(count, unit, "short", locale=locale) for count, unit in parts[:2] if count)


def ago(moment: datetime | None, now: datetime, locale: str) -> Markup:
    """A `<time>` that says how long ago a moment was or how far off it is, with the exact time in UTC as its title.

    Both moments are aware, or both naive in UTC.
    """
    if moment is None:
        return Markup(_NONE)
    exact = format_datetime(moment, "medium", locale=locale) + " UTC"
    span = moment - now
    if abs(span) < _SECOND:
        span = -_SECOND  # “in 0 seconds” is what no language says
    words = format_timedelta(span, add_direction=True, locale=locale)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(moment.isoformat(), exact, words)


def number(value: float | None, locale: str) -> str:
    """A number with the reader's separators: whole ones whole, others with four significant digits."""
    if value is None:
        return _NONE
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if float(value).is_integer():
        return str(format_decimal(int(value), locale=locale))
    short = float(f"{value:.4g}")
    if abs(short) < 0.001:  # Below it, zeros hide the digits.
        return f"{short:g}".replace(".", decimal_sign(locale))
    return str(format_decimal(short, "#,##0.####", locale=locale))


def decimal_sign(locale: str) -> str:
    """What stands before the decimals of a number."""
    return str(get_decimal_symbol(locale))


def percent(share: float | None, locale: str) -> str:
    """A share between 0 and 1 as a percentage with at most one decimal."""
    if share is None:
        return _NONE
    pattern = Locale.parse(locale).percent_formats[None].pattern.replace("#,##0", "#,##0.#")
    return str(format_percent(share, pattern, locale=locale))


def percent_interval(share: float, low: float, high: float, locale: str) -> str:
    """A share with the bounds of its interval: "97% (84% to 99%)", with a dash; n stands beside it."""
    return f"{percent(share, locale)} ({percent(low, locale)} {_NONE} {percent(high, locale)})"


def filters(locale: Callable[[], str], clock: Callable[[], datetime]) -> dict[str, Callable[..., str]]:
    """The functions above as Jinja filters in the locale and at the time of the request."""
    return {
        "filesize": lambda size: filesize(size, locale()),
        "duration": lambda seconds: duration(seconds, locale()),
        "ago": lambda moment: ago(moment and _aware(moment), _aware(clock()), locale()),
        "number": lambda value: number(value, locale()),
        "percent": lambda share: percent(share, locale()),
        "percent_interval": lambda share, low, high: percent_interval(share, low, high, locale()),
    }


def _aware(moment: datetime) -> datetime:
    """Rows hold naive UTC; a clock may hand out aware times."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
