"""Guessing how an unknown word is said: the small GRU encoder-decoder of g2p_en.

Source: g2p_en 2.1.0 (Kyubyong Park and Jongseok Kim, Apache-2.0), whose package holds the weights (`checkpoint20.npz`);
the network is the gated recurrent unit of Cho et al. 2014, https://arxiv.org/abs/1406.1078. The package is never
imported, as that starts downloads: the weight file alone is read.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import numpy as np
from numpy.typing import NDArray

from gsv.text.english.lexicon import package_file

Array = NDArray[np.float32]

# Rows of the input embedding: padding, unknown, end, then a to z.
_UNKNOWN, _END_OF_WORD, _FIRST_LETTER = 1, 2, 3
# Rows of the output embedding: padding, unknown, start, end, then the phones in alphabetical order.
_START, _STOP, _FIRST_PHONE = 2, 3, 4
_VOWELS = ("AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW")
_CONSONANTS = (
    "B",
    "CH",
    "D",
    "DH",
    "F",
    "G",
    "HH",
    "JH",
    "K",
    "L",
    "M",
    "N",
    "NG",
    "P",
    "R",
    "S",
    "SH",
    "T",
    "TH",
    "V",
    "W",
    "Y",
    "Z",
    "ZH",
)
# A vowel carries its stress; "UW" without is there too, and is no phone of the models' alphabet.
_BARE = "UW"
_PHONES = sorted([*(vowel + stress for vowel in _VOWELS for stress in "012"), *_CONSONANTS, _BARE])
# Phones a short word may get at most; a longer one may get two a letter. The network now and then never stops.
_LEAST_LIMIT = 20


@dataclass(frozen=True)
class _Cell:
    """One GRU layer of width H over inputs of width D; the gates are stacked as reset, update, new."""

    w_input: Array  # (3H, D)
    w_hidden: Array  # (3H, H)
    b_input: Array  # (3H,)
    b_hidden: Array  # (3H,)

    def step(self, x: Array, hidden: Array) -> Array:
        """The hidden state (H,) after seeing one input (D,)."""
        reset_x, update_x, new_x = np.split(self.w_input @ x + self.b_input, 3)
        reset_h, update_h, new_h = np.split(self.w_hidden @ hidden + self.b_hidden, 3)
        reset = 1 / (1 + np.exp(-(reset_x + reset_h)))
        update = 1 / (1 + np.exp(-(update_x + update_h)))
        return cast(Array, (1 - update) * np.tanh(new_x + reset * new_h) + update * hidden)


@dataclass(frozen=True)
class _Network:
    letters: Array  # (29, D)
    encoder: _Cell
    phones: Array  # (74, D)
    decoder: _Cell
    w_out: Array  # (74, H)
    b_out: Array  # (74,)


@lru_cache(maxsize=1)
def _network() -> _Network:
    with np.load(package_file("g2p_en", "g2p_en/checkpoint20.npz"), allow_pickle=False) as weights:
        w = {name: weights[name].astype(np.float32) for name in weights.files}

    def cell(side: str) -> _Cell:
        return _Cell(w[f"{side}_w_ih"], w[f"{side}_w_hh"], w[f"{side}_b_ih"], w[f"{side}_b_hh"])

    return _Network(w["enc_emb"], cell("enc"), w["dec_emb"], cell("dec"), w["fc_w"], w["fc_b"])


@lru_cache(maxsize=10_000)
def predict(word: str) -> tuple[str, ...]:
    """The likeliest ARPAbet phones of a lower-case word, chosen greedily one by one."""
    net = _network()
    hidden = np.zeros(net.w_out.shape[1], dtype=np.float32)
    for letter in word:
        row = ord(letter) - ord("a") + _FIRST_LETTER if "a" <= letter <= "z" else _UNKNOWN
        hidden = net.encoder.step(net.letters[row], hidden)
    hidden = net.encoder.step(net.letters[_END_OF_WORD], hidden)

    said: list[str] = []
    row = _START
    for _ in range(max(_LEAST_LIMIT, 2 * len(word))):
        hidden = net.decoder.step(net.phones[row], hidden)
        row = int(np.argmax(net.w_out @ hidden + net.b_out))
        if row == _STOP:
            break
        if row >= _FIRST_PHONE:
            said.append(_PHONES[row - _FIRST_PHONE])
    return tuple(phone for phone in said if phone != _BARE)
