"""Units in Latin letters behind a number, as they are called in Korean."""

_LENGTHS = {"mm": "밀리미터", "cm": "센티미터", "m": "미터", "km": "킬로미터"}

UNITS = (
    _LENGTHS
    | {unit + power: f"제곱{name}" for unit, name in _LENGTHS.items() for power in "2²"}
    | {unit + power: f"세제곱{name}" for unit, name in _LENGTHS.items() for power in "3³"}
    | {
        "mg": "밀리그램",
        "g": "그램",
        "kg": "킬로그램",
        "Kg": "킬로그램",
        "KG": "킬로그램",
        "t": "톤",
        "ml": "밀리리터",
        "mL": "밀리리터",
        "l": "리터",
        "L": "리터",
        "μg": "마이크로그램",
        "µg": "마이크로그램",
        "μm": "마이크로미터",
        "µm": "마이크로미터",
        "KB": "킬로바이트",
        "kB": "킬로바이트",
        "MB": "메가바이트",
        "GB": "기가바이트",
        "TB": "테라바이트",
        "Hz": "헤르츠",
        "kHz": "킬로헤르츠",
        "MHz": "메가헤르츠",
        "GHz": "기가헤르츠",
        "W": "와트",
        "kW": "킬로와트",
        "kWh": "킬로와트시",
        "V": "볼트",
        "mA": "밀리암페어",
        "dB": "데시벨",
        "cal": "칼로리",
        "kcal": "킬로칼로리",
        "hPa": "헥토파스칼",
        "ha": "헥타르",
    }
)
