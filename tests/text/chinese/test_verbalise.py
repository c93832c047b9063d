"""Numbers, dates, units and signs of Mandarin text are written out as a reader would say them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsv.text.chinese import normalize
from gsv.text.chinese.numbers import cardinal, digit_by_digit, number
from gsv.text.chinese.verbalise import verbalise


@pytest.mark.parametrize(
    ("digits", "words"),
    [
        ("", ""),
        ("0", "零"),
        ("007", "七"),
        ("10", "十"),
        ("15", "十五"),
        ("105", "一百零五"),
        ("110", "一百一十"),
        ("1005", "一千零五"),
        ("1050", "一千零五十"),
        ("20000", "二万"),
        ("10010", "一万零一十"),
        ("100000", "十万"),
        ("100000000", "一亿"),
        ("1234567890", "十二亿三千四百五十六万七千八百九十"),
        ("1000000000000", "一万亿"),
    ],
)
def test_cardinals(digits: str, words: str) -> None:
    assert cardinal(digits) == words


@pytest.mark.parametrize(
    ("text", "words"), [("3.14", "三点一四"), (".5", "零点五"), ("0.50", "零点五零"), ("3.00", "三点零"), ("7", "七")]
)
def test_decimals(text: str, words: str) -> None:
    assert number(text) == words


def test_telephone_digits_say_yao_for_one() -> None:
    assert digit_by_digit("1107") == "一一零七"
    assert digit_by_digit("1107", telephone=True) == "幺幺零七"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        # dates and times
        ("1998年7月12日", "一九九八年七月十二日"),
        ("98年的夏天", "九八年的夏天"),
        ("2023-05-06", "二零二三年五月六日"),
        ("2023/5/6", "二零二三年五月六日"),
        ("2028.12.31", "二零二八年十二月三十一日"),
        ("2月14日", "二月十四日"),
        ("2020-2021年", "二零二零到二零二一年"),
        ("3月-5月", "三月至五月"),
        ("8:30到9:05", "八点半到九点零五分"),
        ("10:00-22:00", "十点至二十二点"),
        ("8:30-12:15", "八点半至十二点十五分"),
        ("8:15-12:30", "八点十五分至十二点三十分"),
        ("12:00:09", "十二点零九秒"),
        ("晚上8：30", "晚上八点半"),
        # quantities
        ("2个人买了2件", "两个人买了两件"),
        ("10多岁和5+个", "十多岁和五多个"),
        ("300公里", "三百公里"),
        ("3500000元", "三百五十万元"),
        ("1,234,567元", "一百二十三万四千五百六十七元"),
        ("1,234,567和￥1,500.50", "一百二十三万四千五百六十七和一千五百点五零元"),
        ("38°C，-5℃", "三十八度，零下五度"),
        ("39摄氏度", "三十九摄氏度"),
        ("3~5度", "三到五度"),
        ("-3~5℃", "零下三到五度"),
        ("25-30度", "二十五到三十度"),
        ("120km/h", "一百二十千米每小时"),
        ("5mm，3cm2，10ml", "五毫米，三平方厘米，十毫升"),
        ("3kg~5kg", "三千克至五千克"),
        ("￥500和$20", "五百元和二十美元"),
        # shares
        ("15.5%", "百分之十五点五"),
        ("10%-20%", "百分之十至百分之二十"),
        ("10-20%", "百分之十到百分之二十"),
        ("1/4", "四分之一"),
        # telephone numbers and codes
        ("13800138000", "幺三八零零幺三八零零零"),
        ("400-820-8820", "四零零，八二零，八八二零"),
        ("0571-87654321", "零五七幺，八七六五四三二幺"),
        ("3.1415926", "三点一四一五九二六"),
        ("10086", "幺零零八六"),
        ("3.11.7", "三点一一点七"),
        # arithmetic and ranges
        ("3+5=8，9-4=5", "三加五等于八，九减四等于五"),
        ("3-5天", "三到五天"),
        ("1-2件", "一到两件"),
        ("5-3", "五减三"),
        ("3-5等于-2", "三减五等于负二"),
        ("1~100", "一到一百"),
        ("x=5，a²", "x等于五，a的二次方"),
        ("-3.5", "负三点五"),
        # signs and scripts
        ("Wi-Fi", "WiFi"),
        ("王五/赵六", "王五、赵六"),
        ("10元/斤", "十元每斤"),
        ("①α粒子，圆周率π", "一阿尔法粒子，圆周率派"),
        ("學習語言", "学习语言"),
        ("１２个ＡＢ", "十二个AB"),
        ("《书》（注）“话”", "书注话"),
    ],
)
def test_written_text_is_said(written: str, said: str) -> None:
    assert "".join(verbalise(written)) == said


def test_text_is_cut_after_each_mark() -> None:
    assert verbalise("你好！“真的吗？”\n嗯") == ["你好！", "真的吗？", "嗯"]


def test_only_characters_and_marks_are_left_and_marks_do_not_repeat() -> None:
    assert normalize("（你好）～～world！！！") == "你好…!".replace("!", "")
    assert normalize("嗯，好：这样；行") == "恩,好,这样,行"
    assert normalize("hello") == ""


@given(st.integers(0, 10**15))
def test_every_number_is_said_without_digits(value: int) -> None:
    assert not any(character.isdigit() for character in normalize(f"有{value}个"))


@given(st.text(alphabet="0123456789.-~/:%+=年月日点度元个km,。 ", max_size=20))
def test_any_mixture_is_said_without_digits(text: str) -> None:
    assert not any(character.isascii() and character.isalnum() for character in normalize(text))
