"""A Whisper of the true format that says what it is told to, whatever it hears.

Its decoder adds nothing to the sum of token and position, so that the position alone decides on the next token. All
else is as in a real one: the vocabulary and its size (by which CTranslate2 tells the kinds apart), the encoder, the
conversion, the loading.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from ctranslate2.converters import TransformersConverter
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import GenerationConfig, PreTrainedTokenizerFast, WhisperConfig, WhisperForConditionalGeneration

WIDTH = 32
WORDS = 50256
# The order of a real vocabulary begins so; its other languages are only counted here.
LANGUAGES = ["en", "zh", "de", "es", "ru", "ko", "fr", "ja"]
TIMES = 1501


def write(folder: Path, language: str, text: Sequence[str], languages: int = 100) -> Path:
    """A converted model in `folder` that hears `text` (one token a word) in `language`.

    100 languages is large-v3, 99 an earlier one, without Cantonese, and 0 knows English alone.
    """
    tokens = _special_tokens(languages)
    tokenizer = _tokenizer(text, tokens)
    source = folder.with_name(f"{folder.name}-source")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(source)
    _network(tokenizer, _script(tokenizer, language, text, languages), languages).save_pretrained(source)
    TransformersConverter(str(source), copy_files=["tokenizer.json"]).convert(str(folder))
    return folder


def _languages(count: int) -> list[str]:
    return [*LANGUAGES, *(f"language{i}" for i in range(len(LANGUAGES), 99)), "yue"][:count]


def _special_tokens(languages: int) -> list[str]:
    return [
        "<|endoftext|>",
        "<|startoftranscript|>",
        *(f"<|{name}|>" for name in _languages(languages)),
        *("<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"),
        *(f"<|{i * 0.02:.2f}|>" for i in range(TIMES)),
    ]


def _tokenizer(text: Sequence[str], tokens: Sequence[str]) -> Tokenizer:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    spell = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    words = [spell.pre_tokenize_str(word)[0][0] for word in text]
    known = list(dict.fromkeys([*letters, *words]))
    known += [f"filler{i}" for i in range(WORDS - len(known))]
    if "<|en|>" in tokens:
        known.append("")  # By this word CTranslate2 tells that a model knows languages.
    tokenizer = Tokenizer(models.BPE({word: i for i, word in enumerate(known)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in tokens])
    return tokenizer


def _script(tokenizer: Tokenizer, language: str, text: Sequence[str], languages: int) -> dict[int, int]:
    """The token that follows at each position."""
    spell = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    words = [spell.pre_tokenize_str(word)[0][0] for word in text]
    said = ["<|0.00|>", *words, "<|1.00|>", "<|endoftext|>"]
    prompt = 3 if languages else 1
    script = {prompt - 1 + i: tokenizer.token_to_id(token) for i, token in enumerate(said)}
    if languages:
        script[0] = tokenizer.token_to_id(f"<|{language}|>")
    return script


def _network(tokenizer: Tokenizer, script: dict[int, int], languages: int) -> WhisperForConditionalGeneration:
    torch.manual_seed(0)
    end = tokenizer.token_to_id("<|endoftext|>")
    network = WhisperForConditionalGeneration(
        WhisperConfig(
            vocab_size=tokenizer.get_vocab_size(with_added_tokens=True),
            d_model=WIDTH,
            encoder_layers=1,
            decoder_layers=1,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=WIDTH,
            decoder_ffn_dim=WIDTH,
            pad_token_id=end,
            bos_token_id=end,
            eos_token_id=end,
            decoder_start_token_id=end + 1,
            suppress_tokens=[],
            begin_suppress_tokens=[],
        )
    )
    names = [f"<|{name}|>" for name in _languages(languages)]
    # Where CTranslate2 learns which tokens are languages.
    network.generation_config = GenerationConfig(
        suppress_tokens=[],
        begin_suppress_tokens=[],
        decoder_start_token_id=end + 1,
        lang_to_id={name: tokenizer.token_to_id(name) for name in names},
    )
    # Directions of their own, without a mean that the last norm would take away.
    directions = np.random.default_rng(0).normal(size=(WIDTH, WIDTH))
    directions[0] = 1
    vectors = torch.from_numpy(np.linalg.qr(directions.T)[0].T[1:]).float()
    decoder = network.model.decoder
    with torch.no_grad():
        for layer in decoder.layers:
            for last in (layer.self_attn.out_proj, layer.encoder_attn.out_proj, layer.fc2):
                last.weight.zero_()
                last.bias.zero_()
        decoder.embed_tokens.weight.zero_()
        decoder.embed_positions.weight.zero_()
        for vector, (position, token) in zip(vectors, script.items(), strict=False):
            decoder.embed_positions.weight[position] = 100 * vector
            decoder.embed_tokens.weight[token] += 5 * vector
    return network.eval()
