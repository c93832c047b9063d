"""Units in Latin letters behind a number, as they are called in Japanese.

Those that Open JTalk knows (km, kg, cm, ml ...) are only here as far as a rule needs their name.
"""

UNITS = {
    "m": "メートル",
    "km": "キロメートル",
    "cm": "センチメートル",
    "mm": "ミリメートル",
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
    "A": "アンペア",
    "mA": "ミリアンペア",
    "mAh": "ミリアンペアアワー",
    "dB": "デシベル",
    "Mbps": "メガビーピーエス",
    "Gbps": "ギガビーピーエス",
    "L": "リットル",
    "mL": "ミリリットル",
    "dL": "デシリットル",
    "μg": "マイクログラム",
    "µg": "マイクログラム",
    "μm": "マイクロメートル",
    "µm": "マイクロメートル",
    "hPa": "ヘクトパスカル",
}
