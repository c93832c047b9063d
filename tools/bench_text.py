"""Measures how fast the text front end reads, and what a language costs: `python tools/bench.py --text`.

Each code is measured in a process of its own, so that it pays for what it loads alone. Times are of the processor's
work, which says more than the clock on a busy machine; the G2PW network is not used.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

# A sentence of 50 characters for each, as people write them.
SENTENCES = {
    "zh": "今天的天气真不错，我们下午3点一起去公园散步吧，那里的花已经开了，人也不太多，你说好不好呢？我看行啊。",
    "en": "The weather is lovely today, so take a long walk 2.",
    "ja": "今日はとても天気がいいので、午後3時にみんなで公園へ散歩に行きましょう。花も咲いていて人も多くないです。",
    "ko": "오늘은 날씨가 정말 좋으니까 오후 3시에 우리 함께 공원으로 산책하러 가요. 꽃도 피었어요.",
    "yue": "今日天氣真係好好，我哋下晝3點一齊去公園散步啦，嗰度啲花已經開咗，人又唔係好多，你話好唔好呀？好呀。",
    "auto": "今天我用Python写了一个程序，ねえ、聞いてる？오늘은 날씨가 좋아요. It works, 好用。",
}
LENGTH = 50
LONG = 100_000
_MIB = 1 << 20


@dataclass(frozen=True)
class TextResult:
    """One language code. Times are of the processor; memory is what the process has more than before, in MiB."""

    code: str
    load_s: float
    sentence_ms: float
    long_text_s: float
    resident_mib: float
    libraries: str


def measure(code: str, rounds: int) -> TextResult:
    """Loads and measures one code; for a fresh process."""
    import psutil

    from gsv.text.frontend import Frontend

    process = psutil.Process()
    before = process.memory_info().rss
    frontend = Frontend()
    sentence = SENTENCES[code][:LENGTH]
    load = worked(lambda: frontend.read(sentence, code))
    resident = (process.memory_info().rss - before) / _MIB
    for _ in range(3):
        frontend.read(sentence, code)
    times = [worked(lambda: frontend.read(sentence, code)) for _ in range(rounds)]
    text = (SENTENCES[code] * (LONG // len(SENTENCES[code]) + 1))[:LONG]

    def whole_way() -> None:
        for piece in frontend.pieces(text, code, "auto"):
            frontend.read(piece, code)

    loaded = sorted(
        {"jieba", "pypinyin", "pyopenjtalk", "mecab", "ToJyutping", "inflect", "split_lang"} & set(sys.modules)
    )
    return TextResult(code, load, statistics.median(times) * 1000, worked(whole_way), resident, ", ".join(loaded))


def worked(work: Callable[[], object]) -> float:
    """Seconds that the processor worked for it."""
    start = time.process_time()
    work()
    return time.process_time() - start


def measure_all(rounds: int) -> list[TextResult]:
    """Every code, one after the other, each in a fresh process."""
    results = []
    for code in SENTENCES:
        done = subprocess.run(
            [sys.executable, __file__, code, "--rounds", str(rounds)], check=True, capture_output=True, text=True
        )
        results.append(TextResult(**json.loads(done.stdout.splitlines()[-1])))
    return results


def main() -> int:
    """Measure one code and print it as JSON."""
    parser = argparse.ArgumentParser(description="Measure how fast texts of one language code are read.")
    parser.add_argument("code", choices=SENTENCES)
    parser.add_argument("--rounds", type=int, default=21)
    options = parser.parse_args()
    print(json.dumps(asdict(measure(options.code, options.rounds)), ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
