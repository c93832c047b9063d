"""Amounts of money: by sign ($5, 5€, US$5, 99¢), by code (USD 250), in ranges ($5-10), with magnitudes ($3.5M)."""

import re
from dataclasses import dataclass

from gsv.text.english.counting import AMOUNT, LONGEST, amount, any_of, count
from gsv.text.english.units import PER, per

Match = re.Match[str]


@dataclass(frozen=True)
class Currency:
    """The names of a currency, and of its hundredths where amounts have any."""

    one: str
    many: str
    cent: str = ""
    cents: str = ""


def _dollar(land: str = "") -> Currency:
    return Currency(f"{land}dollar", f"{land}dollars", "cent", "cents")


_POUND = Currency("pound", "pounds", "penny", "pence")
_EURO = Currency("euro", "euros", "cent", "cents")
_YEN = Currency("yen", "yen")
_WON = Currency("won", "won")
_RUPEE = Currency("rupee", "rupees", "paisa", "paise")

_SIGNS = {
    "$": _dollar(),
    "£": _POUND,
    "€": _EURO,
    "¥": _YEN,
    "₩": _WON,
    "₹": _RUPEE,
    "₽": Currency("ruble", "rubles", "kopeck", "kopecks"),
    "฿": Currency("baht", "baht"),
    "₫": Currency("dong", "dong"),
    "₺": Currency("lira", "lira"),
    "₱": Currency("peso", "pesos", "centavo", "centavos"),
    "₿": Currency("bitcoin", "bitcoins"),
    "US$": _dollar("U S "),
    "A$": _dollar("Australian "),
    "AU$": _dollar("Australian "),
    "C$": _dollar("Canadian "),
    "CA$": _dollar("Canadian "),
    "HK$": _dollar("Hong Kong "),
    "NT$": _dollar("Taiwan "),
    "S$": _dollar("Singapore "),
    "R$": Currency("real", "reais", "centavo", "centavos"),
}
_CODES = {
    "USD": _dollar("U S "),
    "EUR": _EURO,
    "GBP": _POUND,
    "JPY": _YEN,
    "CNY": Currency("yuan", "yuan"),
    "RMB": Currency("yuan", "yuan"),
    "KRW": _WON,
    "INR": _RUPEE,
    "CAD": _dollar("Canadian "),
    "AUD": _dollar("Australian "),
    "HKD": _dollar("Hong Kong "),
    "CHF": Currency("Swiss franc", "Swiss francs", "centime", "centimes"),
}
_NAMES = _SIGNS | _CODES
_WORDS = {word: word for word in ("hundred", "thousand", "million", "billion", "trillion")}
_SHORT = {"k": "thousand", "m": "million", "mn": "million", "bn": "billion", "b": "billion", "tn": "trillion"}
_SHORT |= {"t": "trillion"}
_MAGNITUDES = _WORDS | _SHORT

# Signs that may stand right before a digit.
SIGN = f"(?:{any_of(_SIGNS)})"
_MAGNITUDE = rf"(?:\s?(?i:{any_of(_WORDS)})|\s?(?:m|mn|bn|tn)|(?i:{any_of(_SHORT)}))\b"
MONEY = (
    rf"(?P<article>\b(?:[Aa]n?|per|each|every) )?"
    rf"(?:(?P<sign>(?<![A-Za-z])(?:{any_of(_SIGNS)})\s?|\b(?:{any_of(_CODES)})\s)"
    rf"(?P<amount>{AMOUNT})(?P<magnitude>{_MAGNITUDE})?"
    rf"(?: to (?P<upper>{AMOUNT})(?P<upper_magnitude>{_MAGNITUDE})?(?![\w%°/]))?"
    rf"|(?P<amount_before>{AMOUNT})(?P<magnitude_before>{_MAGNITUDE})?\s?"
    rf"(?P<sign_after>{any_of(_SIGNS)}|(?:{any_of(_CODES)})\b)){PER}"
    rf"(?P<thing>(?=[ -][a-z]{{3}}))?"
)
CENTS = rf"(?<![\w.])({AMOUNT})\s?¢|¢\s?({AMOUNT})"


def money(match: Match) -> str:
    """The words for a match of MONEY."""
    currency = _NAMES[(match["sign"] or match["sign_after"]).strip()]
    magnitude = match["magnitude"] or match["magnitude_before"]
    number = match["amount"] or match["amount_before"]
    if match["upper"]:
        upper = _counted(match["upper"], match["upper_magnitude"])
        said = f"{_counted(number, magnitude)} to {upper} {currency.many}"
    else:
        said = _said(number, magnitude, currency)
    # "a $5 bill": before the thing it describes, the currency is in the singular.
    article = match["article"] or ""
    if article.strip().lower() in ("a", "an") and match["thing"] is not None and not match["per"]:
        said = re.sub(rf"\b{re.escape(currency.many)}$", currency.one, said)
    return f"{article}{said}{per(match['per'])}"


def _said(number: str, magnitude: str | None, currency: Currency) -> str:
    if magnitude:
        return f"{_counted(number, magnitude)} {currency.many}"
    whole, _, part = number.replace(",", "").partition(".")
    if len(part) > 2 or (part and not currency.cents) or len(whole) > LONGEST:
        return f"{amount(number)} {currency.many}"
    units, hundredths = int(whole or 0), int(part.ljust(2, "0"))
    said = []
    if units:
        said.append(f"{count(whole)} {currency.one if units == 1 else currency.many}")
    if hundredths:
        said.append(f"{count(str(hundredths))} {currency.cent if hundredths == 1 else currency.cents}")
    return " and ".join(said) or f"zero {currency.many}"


def _counted(number: str, magnitude: str | None) -> str:
    return f"{amount(number)} {_MAGNITUDES[magnitude.strip().lower()]}" if magnitude else amount(number)


def cents(match: Match) -> str:
    """The words for a match of CENTS."""
    number = match[1] or match[2]
    return f"{amount(number)} {'cent' if number == '1' else 'cents'}"
