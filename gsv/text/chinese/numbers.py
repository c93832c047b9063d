"""Numbers as Chinese words."""

DIGITS = "零一二三四五六七八九"
_COUNTABLE = 24
# Powers of ten that have a character of their own.
_UNITS = {8: "亿", 4: "万", 3: "千", 2: "百", 1: "十"}


def digit_by_digit(digits: str, telephone: bool = False) -> str:
    """`105` -> 一零五; as a telephone number 幺零五, because 一 and 七 sound alike on a line."""
    words = "".join(DIGITS[int(digit)] for digit in digits)
    return words.replace("一", "幺") if telephone else words


def cardinal(digits: str) -> str:
    """`105` -> 一百零五, `15` -> 十五, `007` -> 七, `0` -> 零; an empty string stays empty.

    What is too large to count (more than 24 digits) is read digit by digit.
    """
    if not digits:
        return ""
    significant = digits.lstrip("0")
    if not significant:
        return DIGITS[0]
    if len(significant) > _COUNTABLE:
        return digit_by_digit(digits)
    words = _words(significant)
    return words[1:] if words.startswith("一十") else words


def _words(digits: str) -> str:
    significant = digits.lstrip("0")
    if len(significant) < 2:
        # A single digit after zeros is where 零 is said: 1005 is 一千零五, and 1000 has none.
        return ("零" if significant and len(digits) > 1 else "") + digit_by_digit(significant)
    power = next(power for power in _UNITS if power < len(significant))
    return _words(digits[:-power]) + _UNITS[power] + _words(digits[-power:])


def number(text: str) -> str:
    """An unsigned integer or decimal: `3.14` -> 三点一四, `.5` -> 零点五; of trailing zeros one is said."""
    whole, _, decimals = text.partition(".")
    shortened = decimals.rstrip("0") + ("0" if decimals.endswith("0") else "")
    words = cardinal(whole)
    return f"{words or DIGITS[0]}点{digit_by_digit(shortened)}" if shortened else words
