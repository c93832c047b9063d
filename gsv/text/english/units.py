"""Units of measure behind a number: "5kg", "80 km/h", "10 µg/kg/min", "3x4 m", "180-lb", 5'10"."""

import re

from gsv.text.english.counting import AMOUNT, amount, any_of

Match = re.Match[str]

# Lone letters, which mean little without a number.
_LETTERS = {
    "m": ("meter", "meters"),
    "L": ("liter", "liters"),
    "l": ("liter", "liters"),
    "h": ("hour", "hours"),
    "s": ("second", "seconds"),
    "g": ("gram", "grams"),
}
# Of these a letter is a unit only where it touches its number.
_TIGHT = {"V": ("volt", "volts"), "W": ("watt", "watts")}
# These are words or abbreviations in a sentence, so a full stop may belong to them.
_SHORTENED = {
    "ft": ("foot", "feet"),
    "lb": ("pound", "pounds"),
    "lbs": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "tbsp": ("tablespoon", "tablespoons"),
    "tsp": ("teaspoon", "teaspoons"),
    "min": ("minute", "minutes"),
    "mins": ("minute", "minutes"),
    "sec": ("second", "seconds"),
    "secs": ("second", "seconds"),
    "hr": ("hour", "hours"),
    "hrs": ("hour", "hours"),
    "yr": ("year", "years"),
    "yrs": ("year", "years"),
    "mi": ("mile", "miles"),
    "yd": ("yard", "yards"),
    "yds": ("yard", "yards"),
    "gal": ("gallon", "gallons"),
    "sq ft": ("square foot", "square feet"),
}
_PLAIN = {
    "km": ("kilometer", "kilometers"),
    "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"),
    "nm": ("nanometer", "nanometers"),
    "µm": ("micrometer", "micrometers"),
    "mph": ("mile per hour", "miles per hour"),
    "kph": ("kilometer per hour", "kilometers per hour"),
    "kmh": ("kilometer per hour", "kilometers per hour"),
    "kg": ("kilogram", "kilograms"),
    "mg": ("milligram", "milligrams"),
    "mcg": ("microgram", "micrograms"),
    "µg": ("microgram", "micrograms"),
    "ml": ("milliliter", "milliliters"),
    "mL": ("milliliter", "milliliters"),
    "cl": ("centiliter", "centiliters"),
    "ms": ("millisecond", "milliseconds"),
    "Hz": ("hertz", "hertz"),
    "kHz": ("kilohertz", "kilohertz"),
    "MHz": ("megahertz", "megahertz"),
    "GHz": ("gigahertz", "gigahertz"),
    "KB": ("kilobyte", "kilobytes"),
    "kB": ("kilobyte", "kilobytes"),
    "MB": ("megabyte", "megabytes"),
    "GB": ("gigabyte", "gigabytes"),
    "TB": ("terabyte", "terabytes"),
    "kbps": ("kilobit per second", "kilobits per second"),
    "Mbps": ("megabit per second", "megabits per second"),
    "Gbps": ("gigabit per second", "gigabits per second"),
    "fps": ("frame per second", "frames per second"),
    "rpm": ("revolution per minute", "revolutions per minute"),
    "bpm": ("beat per minute", "beats per minute"),
    "kW": ("kilowatt", "kilowatts"),
    "MW": ("megawatt", "megawatts"),
    "kWh": ("kilowatt hour", "kilowatt hours"),
    "mAh": ("milliamp hour", "milliamp hours"),
    "kcal": ("kilocalorie", "kilocalories"),
    "dB": ("decibel", "decibels"),
    "px": ("pixel", "pixels"),
    "°C": ("degree celsius", "degrees celsius"),
    "°F": ("degree fahrenheit", "degrees fahrenheit"),
    "°": ("degree", "degrees"),
}
_LENGTHS = ("m", "km", "cm", "mm", "ft", "mi")
_LOOSE = _LETTERS | _SHORTENED | _PLAIN
_LOOSE |= {
    f"{name}{sign}": (f"{power} {_LOOSE[name][0]}", f"{power} {_LOOSE[name][1]}")
    for name in _LENGTHS
    for sign, power in (("²", "square"), ("³", "cubic"))
}
_UNITS = _TIGHT | _LOOSE
# Behind a slash the words of time and people are units as well.
_PER = {name: one for name, (one, _) in _UNITS.items()} | {
    name: name for name in ("second", "minute", "hour", "day", "night", "week", "month", "year", "person", "unit")
}
_PER |= {"mo": "month", "wk": "week", "d": "day"}

PER = rf"(?P<per>(?:/(?:{any_of(_PER)})(?![\w°²³]))*)"
_END = r"(?![\w°²³])(?!'\w)"
_STOP = r"(?:\.(?=,? +[a-z]|,))?"
UNIT = (
    rf"(?<![\w.,])(?P<whole>\d+ (?=\d+/\d))?(?P<top>\d+/)?(?P<number>{AMOUNT})"
    rf"(?:(?:\s?|(?P<hyphen>-))(?:(?P<short>{any_of(_SHORTENED)}){_END}{_STOP}|(?P<loose>{any_of(_LOOSE)}){_END})"
    rf"|(?P<tight>{any_of(_TIGHT)}){_END}){PER}"
)
HEIGHT = (
    r"(?<![\w.'])([1-9]) ?ft\.? (?P<inches>1[01]|\d) ?in\b(?:\.(?= [a-z]))?"
    r"|(?<![\w.'])([1-9])'\s?(1[01]|\d)(?:\"|''|”|(?<=[4-7]'\d)(?!\w)|(?<=[4-7]'1\d)(?!\w))"
)

# 8.5" x 11"
SHEET = r"(?<![\w.])(\d+(?:\.\d+)?)\"\s?[x×]\s?(\d+(?:\.\d+)?)\""


def per(chain: str) -> str:
    """What follows a unit: "/kg/min" as " per kilogram per minute"."""
    return "".join(f" per {_PER[name]}" for name in chain.split("/") if name)


def unit(match: Match) -> str:
    """The words for a match of UNIT; the digits of a fraction stay, for the rule of fractions."""
    one, many = _UNITS[match["short"] or match["loose"] or match["tight"]]
    number = match["number"]
    if match["top"]:
        whole = match["whole"] or ""
        part = not whole and int(match["top"][:-1]) < float(number.replace(",", ""))
        return f"{whole}{match['top']}{number} {one if part else many}{per(match['per'])}"
    alone = match["hyphen"] or number.lstrip("0") == "1"
    return f"{amount(number)} {one if alone else many}{per(match['per'])}"


def height(match: Match) -> str:
    """Feet and inches of a person: 5'10", 5 ft. 10 in."""
    feet, inches = match[1] or match[3], match["inches"] or match[4]
    more = f" {amount(inches)}" if inches != "0" else ""
    return f"{amount(feet)} {'foot' if more else 'feet'}{more}"


def sheet(match: Match) -> str:
    """The sides of a sheet in inches."""
    return f"{amount(match[1])} by {amount(match[2])} inches"
