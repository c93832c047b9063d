"""From words about a manner of speaking, in Chinese or English, to emotions and melody.

A small lexicon: words for the eight emotions, words for pace, pitch, liveliness and loudness, words that make the next
one stronger or weaker, and words that deny it. What it does not know it leaves alone, and says so; it does not guess.
Where the user has a classifier, that one tells the emotion, and the lexicon the rest.
"""

import re
from dataclasses import dataclass, replace

from gsv.synthesis.engine import Engine
from gsv.synthesis.manner import EMOTIONS, NATURAL, NEUTRAL, Feelings, Manner, Prosody, Vector
from gsv.synthesis.voice import Voice

# English words are matched at their beginning, so that "happ" takes happy, happily and happiness.
_EMOTION_WORDS = {
    "happy": "happ joy joyful cheer delight glad merr amus excite elat pleased laugh smil playful enthusias "
    "高兴 开心 快乐 喜悦 愉快 欢快 兴奋 欢喜 欣喜 笑 活泼 俏皮 热情",
    "angry": "angr rage furious fury mad madly irritat annoy hostil outrag 生气 愤怒 恼怒 气愤 发怒 怒 暴躁 不耐烦",
    "sad": "sad sadly sadness sorrow grie mourn weep cry crying tears heartbroken 悲伤 伤心 难过 悲痛 哀伤 悲 哭 痛苦",
    "afraid": "afraid fear fright scare terrif panic anxious nervous worr timid "
    "害怕 恐惧 惊恐 恐慌 紧张 担心 焦虑 惧 怕 吓",
    "disgusted": "disgust contempt revolt repuls scorn disdain 厌恶 恶心 反感 鄙视 嫌弃 讨厌 轻蔑",
    "melancholic": "melanchol gloom depress wistful low-spirited downcast lonely tired weary "
    "低落 忧郁 沮丧 失落 惆怅 消沉 忧伤 孤独 疲惫",
    "surprised": "surpris astonish amaz shock startl unexpect 惊讶 惊喜 吃惊 震惊 诧异 意外 惊奇",
    "calm": "calm peace relax seren gentl tranquil sooth neutral composed "
    "平静 冷静 平和 镇定 温柔 安静 淡定 柔和 沉稳 从容",
}
_MELODY_WORDS = (
    ("slow unhurried 慢 缓慢 慢慢", Prosody(pace=0.8)),
    ("fast quick rapid hurried hasty 快 快速 急促 飞快", Prosody(pace=1.25)),
    ("high-pitched high higher shrill 高音 尖 音调高 高亢", Prosody(pitch=1.15)),
    ("low-pitched low lower deep 低音 低沉 音调低 深沉", Prosody(pitch=0.87)),
    ("lively expressive animated vivid dramatic 生动 抑扬顿挫 富有感情 夸张", Prosody(range=1.4)),
    ("monoton flat emotionless bored 单调 平淡 没有感情", Prosody(range=0.6)),
    ("loud shout yell scream 大声 响亮 喊", Prosody(energy=5.0)),
    ("soft quiet whisper hush 小声 轻声 低声 轻柔 悄悄", Prosody(energy=-5.0)),
)
_STRENGTHS = {
    "very extremely really so much deeply totally utterly 非常 很 极其 极度 十分 特别 太 超级 无比": 1.0,
    "slightly somewhat bit little mildly faintly 有点 有些 略 略微 稍微 稍 一点 微微": 0.4,
}
_DENIALS = "not no never without isn't don't 不 别 没 没有 不要 不是 并非 毫无 无"
# Words that only hold a description together.
_FILLERS = (
    "a an and as at be by for from i in it its like my of on or please read reading say saying sound speak speaking "
    "talk talking tell that the then this to tone use using voice way with you your manner style line text aloud "
    "请 用 的 地 得 说 讲 着 了 以 要 来 读 念 和 又 并 且 这 那 句 话 语 气 声 音 口 吻 调 情 感 种 一 个 把 出 状 态"
)
_USUAL = 0.7
# Characters of the user's own words that a note repeats.
_SHOWN = 200
# A word of strength or denial reaches so many words, or Chinese characters, ahead.
_REACH = 3
# Marks that end a clause, and with it the reach of such words.
_CLAUSES = re.compile(r"[,.;:!?，。；：！？、\n]|\bbut\b|但是|但|而是")
_ENGLISH = re.compile(r"[a-z][a-z'-]*")
_LATIN_OR_OTHER = re.compile(r"[a-z][a-z'-]*|[^\sa-z]")


@dataclass(frozen=True)
class Description:
    """What a text says of the manner: an emotion and a melody.

    `words` are those that told so, `melodic` those of them that told the melody, and `others` what has no effect.
    """

    vector: Vector = NEUTRAL
    prosody: Prosody = NATURAL
    words: tuple[str, ...] = ()
    melodic: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Entry:
    """What a word of the lexicon means: an emotion, a melody, a strength or a denial."""

    emotion: str = ""
    prosody: Prosody | None = None
    strength: float | None = None


def described(text: str) -> Description:
    """What a description such as "slightly sad, and slowly" or 非常开心地说 asks for."""
    strengths = dict.fromkeys(EMOTIONS, 0.0)
    prosody, words, melodic, others = Prosody(), [], [], []
    for clause in _CLAUSES.split(text.lower()):
        strength, reach = _USUAL, 0
        rest: list[str] = []
        for word, entry in _found(clause):
            if entry is None:
                reach -= 1
                rest += [word] if word.isalnum() else []
                continue
            if entry.strength is not None:
                # "not very" denies: what was denied already stays so.
                if not (reach > 0 and strength == 0):
                    strength = entry.strength
                reach = _REACH
                continue
            now = strength if reach > 0 else _USUAL
            if now == 0:
                # What is denied is understood, but nothing follows from it.
                rest.append(f"not {word}")
            else:
                words.append(word)
                if entry.emotion:
                    strengths[entry.emotion] = max(strengths[entry.emotion], now)
                elif entry.prosody is not None:
                    melodic.append(word)
                    prosody = prosody.then(entry.prosody, now / _USUAL)
            reach -= 1
        others += [said] if (said := _together(rest)) else []
    vector = tuple(strengths[name] for name in EMOTIONS)
    told = (tuple(dict.fromkeys(some)) for some in (words, melodic, others))
    return Description(vector, prosody.bounded(), *told)


def manner_of(
    text: str, feelings: Feelings, engine: Engine, speaker: Voice, weight: float = 1.0, called: str = "instruct_text"
) -> Manner:
    """The speaker in the manner that a description asks for; the notes say what was understood, and what was not."""
    found = described(text)
    if feelings.judge is not None:
        vector = feelings.judge(text)
        heard = ", ".join(f"{name} {share:.2f}" for name, share in zip(EMOTIONS, vector, strict=True) if share >= 0.01)
        notes = [f"The classifier hears: {heard or 'no emotion'}."]
        notes += [f"Of the melody was understood: {_shown(found.melodic)}."] if found.melodic else []
        found = replace(found, vector=vector)
    elif found.words:
        notes = [f"Understood: {_shown(found.words)}."]
        notes += [f"Not understood, and of no effect: {_shown(found.others)}."] if found.others else []
    else:
        note = f"No word of {called} is known as a manner of speaking, so the manner is that of the reference."
        return Manner(speaker, notes=(note,))
    made = Manner(speaker)
    if any(found.vector):
        made = feelings.manner(engine, speaker, found.vector, weight)
    prosody = made.prosody.then(found.prosody, weight).bounded()
    return replace(made, prosody=prosody, notes=(*notes, *made.notes))


def _together(words: list[str]) -> str:
    """Words as they are written, with blanks between those of English, from the first that means something on."""
    meant = [i for i, word in enumerate(words) if word not in _HOLDING]
    words = words[meant[0] : meant[-1] + 1] if meant else []
    return re.sub(r"(?<=[^\x00-\x7f]) (?=[^\x00-\x7f])", "", " ".join(words))


def _shown(words: tuple[str, ...]) -> str:
    text = ", ".join(words)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _found(clause: str) -> list[tuple[str, _Entry | None]]:
    """The clause as words of the lexicon, the longest first where several fit, and other words, which mean nothing."""
    found: list[tuple[str, _Entry | None]] = []
    at = 0
    while at < len(clause):
        match = _LATIN_OR_OTHER.match(clause, at)
        if match is None:
            at += 1
            continue
        english = _ENGLISH.match(clause, at)
        if english:
            word = english.group()
            fitting = [one for one in _LEXICON if one.isascii() and _fits(word, one)]
        else:
            fitting = [one for one in _LEXICON if clause.startswith(one, at)]
        best = max(fitting, key=len, default=None)
        taken = english.group() if english else best or match.group()
        found.append((taken, _LEXICON[best] if best else None))
        at += len(taken)
    return found


def _fits(word: str, entry: str) -> bool:
    # Short words are whole words: "so" is not the beginning of "sorrow".
    return word == entry or (len(entry) > 3 and word.startswith(entry) and _LEXICON[entry].strength is None)


def _lexicon() -> dict[str, _Entry]:
    lexicon = {word: _Entry(strength=0.0) for word in _DENIALS.split()}
    for words, strength in _STRENGTHS.items():
        lexicon |= {word: _Entry(strength=strength) for word in words.split()}
    for emotion, text in _EMOTION_WORDS.items():
        lexicon |= {word: _Entry(emotion=emotion) for word in text.split()}
    for text, prosody in _MELODY_WORDS:
        lexicon |= {word: _Entry(prosody=prosody) for word in text.split()}
    return lexicon


_LEXICON = _lexicon()
_HOLDING = frozenset(_FILLERS.split())
