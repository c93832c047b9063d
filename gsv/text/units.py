"""Signs of units that Chinese text writes in Latin letters and says in words."""

_LENGTHS = {"km": "千米", "m": "米", "dm": "分米", "cm": "厘米", "mm": "毫米", "μm": "微米", "um": "微米", "nm": "纳米"}
_SQUARED = {unit + power: f"平方{name}" for unit, name in _LENGTHS.items() for power in "2²"}
_CUBED = {unit + power: f"立方{name}" for unit, name in _LENGTHS.items() for power in "3³"}

# Units that a rule of published voices replaces wherever they stand by themselves.
BARE_UNITS = {
    "cm2": "平方厘米",
    "cm²": "平方厘米",
    "cm3": "立方厘米",
    "cm³": "立方厘米",
    "cm": "厘米",
    "db": "分贝",
    "ds": "毫秒",
    "kg": "千克",
    "km": "千米",
    "m2": "平方米",
    "m²": "平方米",
    "m3": "立方米",
    "m³": "立方米",
    "ml": "毫升",
    "mm": "毫米",
    "m": "米",
    "s": "秒",
    "/h": "/小时",
    "/min": "/分钟",
}

# Units behind a number. Letters that mean other things more often (A, J, N, and w, which is 万 in chats) are left out.
UNITS = (
    BARE_UNITS
    | _LENGTHS
    | _SQUARED
    | _CUBED
    | {
        "dB": "分贝",
        "Kg": "千克",
        "KG": "千克",
        "KM": "千米",
        "kM": "千米",
        "g": "克",
        "mg": "毫克",
        "μg": "微克",
        "ug": "微克",
        "t": "吨",
        "l": "升",
        "L": "升",
        "mL": "毫升",
        "ML": "毫升",
        "μL": "微升",
        "mol": "摩尔",
        "mmol": "毫摩尔",
        "h": "小时",
        "min": "分钟",
        "ms": "毫秒",
        "Hz": "赫兹",
        "kHz": "千赫兹",
        "MHz": "兆赫兹",
        "GHz": "吉赫兹",
        "V": "伏",
        "kV": "千伏",
        "mV": "毫伏",
        "mA": "毫安",
        "mAh": "毫安时",
        "W": "瓦",
        "kW": "千瓦",
        "KW": "千瓦",
        "MW": "兆瓦",
        "kWh": "千瓦时",
        "kW·h": "千瓦时",
        "m/s²": "米每二次方秒",
        "kJ": "千焦",
        "kcal": "千卡",
        "cal": "卡",
        "Pa": "帕",
        "kPa": "千帕",
        "MPa": "兆帕",
        "mmHg": "毫米汞柱",
        "Ω": "欧",
        "kΩ": "千欧",
        "hm²": "公顷",
    }
)
# What is often counted for each of another: 60km/h, 1g/cm³.
RATES = tuple(
    f"{unit}/{per}"
    for unit in UNITS
    for per in ("h", "min", "s", "d", "L", "l", "mL", "ml", "kg", "m", "m²", "m³", "cm", "cm³")
)
