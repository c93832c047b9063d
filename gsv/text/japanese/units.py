"""Units in Latin letters behind a number, as they are called in Japanese."""

LENGTHS = {"mm": "ミリメートル", "cm": "センチメートル", "m": "メートル", "km": "キロメートル"}

# Those that Open JTalk does not know, or takes for something else.
UNITS = {
    "GB": "ギガバイト",
    "MB": "メガバイト",
    "TB": "テラバイト",
    "KB": "キロバイト",
    "kB": "キロバイト",
    "Hz": "ヘルツ",
    "kHz": "キロヘルツ",
    "MHz": "メガヘルツ",
    "GHz": "ギガヘルツ",
    "W": "ワット",
    "kW": "キロワット",
    "kWh": "キロワット時",
    "V": "ボルト",
    "mA": "ミリアンペア",
    "mAh": "ミリアンペアアワー",
    "dB": "デシベル",
    "Mbps": "メガビーピーエス",
    "Gbps": "ギガビーピーエス",
    "μg": "マイクログラム",
    "µg": "マイクログラム",
    "μm": "マイクロメートル",
    "µm": "マイクロメートル",
    "hPa": "ヘクトパスカル",
}

# Those that it reads itself, if they touch the number.
KNOWN = (*LENGTHS, "kg", "g", "mg", "l", "L", "ml", "mL", "dl", "dL", "cc", "t", "ha", "cal", "kcal", "ppm")
