"""FunASR model folders of the true layout, untrained and small: recognisers, pauses, punctuation.

The networks are FunASR's own, made from the configuration that is written beside them.
"""

import copy
import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import sentencepiece
import torch
import yaml
from tokenizers import AddedToken, Tokenizer, decoders, models
from tokenizers.pre_tokenizers import ByteLevel
from transformers import PreTrainedTokenizerFast, Qwen3Config

from gsv.dataset.transcription.funasr import _auto_model

WIDTH = 32
SIGNS = list(
    "的一是了我不人在他有这个上们来到时大地为子中你说生国年着就那和要她出也得里后自以会家可下而过天去能对小多然于心学"
)
TOKENS = ["<blank>", "<s>", "</s>", *SIGNS, "<unk>"]
SENTENCES = ["こんにちは", "さようなら", "ありがとう", "おはよう", "おやすみなさい"]

_FRONTEND = {"fs": 16000, "window": "hamming", "n_mels": 80, "frame_length": 25, "frame_shift": 10}
_SANM = {
    "output_size": WIDTH,
    "attention_heads": 2,
    "linear_units": 64,
    "num_blocks": 2,
    "input_layer": "pe",
    "pos_enc_class": "SinusoidalPositionEncoder",
    "normalize_before": True,
    "kernel_size": 11,
    "sanm_shfit": 0,
    "selfattention_layer_type": "sanm",
}
_CHARACTERS = {"tokenizer": "CharTokenizer", "tokenizer_conf": {"unk_symbol": "<unk>", "split_with_space": True}}


def write_paraformer(folder: Path) -> Path:
    config = {
        "model": "Paraformer",
        "model_conf": {"ctc_weight": 0.0, "predictor_weight": 1.0, "predictor_bias": 1, "sampling_ratio": 0.75},
        "encoder": "SANMEncoder",
        "encoder_conf": _SANM,
        "decoder": "ParaformerSANMDecoder",
        "decoder_conf": {
            "attention_heads": 2,
            "linear_units": 64,
            "num_blocks": 2,
            "att_layer_num": 2,
            "kernel_size": 11,
            "sanm_shfit": 0,
        },
        "predictor": "CifPredictorV2",
        "predictor_conf": {"idim": WIDTH, "threshold": 1.0, "l_order": 1, "r_order": 1, "tail_threshold": 0.45},
        "frontend": "WavFrontend",
        "frontend_conf": _FRONTEND | {"lfr_m": 7, "lfr_n": 6},
    }
    return _write(folder, config | _CHARACTERS, tokens=TOKENS, features=560)


def write_pauses(folder: Path) -> Path:
    """It takes all that it hears for speech."""
    config = {
        "model": "FsmnVADStreaming",
        "model_conf": {"sample_rate": 16000, "silence_pdf_num": 1, "sil_pdf_ids": [0]},
        "encoder": "FSMN",
        "encoder_conf": {
            "input_dim": 400,
            "input_affine_dim": 14,
            "fsmn_layers": 2,
            "linear_dim": 25,
            "proj_dim": 12,
            "lorder": 20,
            "rorder": 0,
            "lstride": 1,
            "rstride": 0,
            "output_affine_dim": 14,
            "output_dim": 24,
        },
        "frontend": "WavFrontendOnline",
        "frontend_conf": _FRONTEND | {"dither": 0.0, "lfr_m": 5, "lfr_n": 1},
    }
    return _write(folder, config, features=400, shifted={"encoder.out_linear2.linear.bias": (0, -20.0)})


def write_punctuation(folder: Path) -> Path:
    config = {
        "model": "CTTransformer",
        "model_conf": {
            "ignore_id": 0,
            "embed_unit": WIDTH,
            "att_unit": WIDTH,
            "punc_list": ["<unk>", "_", "，", "。", "？", "、"],
            "punc_weight": [1.0] * 6,
            "sentence_end_id": 3,
        },
        "encoder": "SANMEncoder",
        "encoder_conf": _SANM | {"input_size": WIDTH},
    }
    return _write(folder, config | _CHARACTERS, tokens=TOKENS)


def write_sense_voice(folder: Path) -> Path:
    folder.mkdir(parents=True)
    with io.BytesIO() as model:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(SENTENCES),
            model_writer=model,
            vocab_size=40,
            hard_vocab_limit=False,
            user_defined_symbols=["<|ja|>"],
            minloglevel=2,
        )
        (folder / "bpe.model").write_bytes(model.getvalue())
    config = {
        "model": "SenseVoiceSmall",
        "model_conf": {"sos": 1, "eos": 2, "ignore_id": -1},
        "encoder": "SenseVoiceEncoderSmall",
        "encoder_conf": {name: value for name, value in _SANM.items() if name != "input_layer"} | {"tp_blocks": 1},
        "frontend": "WavFrontend",
        "frontend_conf": _FRONTEND | {"lfr_m": 7, "lfr_n": 6},
        "tokenizer": "SentencepiecesTokenizer",
        "tokenizer_conf": {"unk_symbol": "<unk>", "split_with_space": True},
    }
    # Of <unk>, <s>, </s>, <|ja|> the last is said often enough.
    return _write(folder, config, features=560, bpe=True, shifted={"ctc.ctc_lo.bias": (3, 1.0)})


def write_nano(folder: Path) -> Path:
    """Its language model is a Qwen 3 of a hundred words, found beside the weights as in the true folder."""
    qwen = folder / "Qwen3-0.6B"
    qwen.mkdir(parents=True)
    spoken = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|startofspeech|>", "<|endofspeech|>"]
    tokenizer = Tokenizer(models.BPE({sign: i for i, sign in enumerate(sorted(ByteLevel.alphabet()))}, []))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(word, special=True, normalized=False) for word in spoken])
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=spoken[0], eos_token=spoken[2]).save_pretrained(qwen)
    Qwen3Config(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=WIDTH,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        eos_token_id=tokenizer.token_to_id(spoken[2]),
        architectures=["Qwen3ForCausalLM"],
    ).save_pretrained(qwen)
    config = {
        "model": "FunASRNano",
        "model_conf": {"length_normalized_loss": True},
        "audio_encoder": "SenseVoiceEncoderSmall",
        "audio_encoder_conf": {name: value for name, value in _SANM.items() if name != "input_layer"}
        | {"tp_blocks": 1},
        "audio_adaptor": "Transformer",
        "audio_adaptor_conf": {
            "downsample_rate": 1,
            "ffn_dim": 64,
            "encoder_dim": WIDTH,
            "llm_dim": WIDTH,
            "n_layer": 1,
            "attention_heads": 2,
            "use_low_frame_rate": True,
        },
        "llm": "Qwen3-0.6b",
        "llm_conf": {"hub": "hf", "freeze": True, "llm_dtype": "bf16", "init_param_path": "Qwen3-0.6B"},
        "ctc_decoder": "Transformer",
        "frontend": "WavFrontend",
        "frontend_conf": _FRONTEND | {"lfr_m": 7, "lfr_n": 6},
        "tokenizer": "HuggingfaceTokenizer",
        "tokenizer_conf": {"init_param_path": "Qwen3-0.6B"},
        "max_length": 20,
    }
    found = {"llm_conf": {"init_param_path": "Qwen3-0.6B"}, "tokenizer_conf": {"init_param_path": "Qwen3-0.6B"}}
    return _write(folder, config, found=found, without={"ctc_decoder": None})


def write_uniasr(folder: Path) -> Path:
    encoder = _SANM | {
        "chunk_size": [20, 60],
        "stride": [10, 40],
        "pad_left": [5, 10],
        "encoder_att_look_back_factor": [0, 0],
        "decoder_att_look_back_factor": [0, 0],
    }
    decoder = {
        "attention_dim": WIDTH,
        "attention_heads": 2,
        "linear_units": 64,
        "num_blocks": 2,
        "att_layer_num": 2,
        "kernel_size": 11,
        "sanm_shfit": 5,
        "concat_embeds": True,
    }
    predictor = {"idim": WIDTH, "threshold": 1.0, "l_order": 1, "r_order": 1, "tail_threshold": 0.0}
    config = {
        "model": "UniASR",
        "model_conf": {"ctc_weight": 0.0, "ctc2_weight": 0.0, "predictor_weight": 1.0, "predictor2_weight": 1.0},
        "stride_conv": "stride_conv1d",
        "stride_conv_conf": {"kernel_size": 2, "stride": 2, "pad": [0, 1]},
        "frontend": "WavFrontend",
        "frontend_conf": _FRONTEND | {"lfr_m": 7, "lfr_n": 6},
    }
    for second in ("", "2"):
        config |= {f"encoder{second}": "SANMEncoderChunkOpt", f"encoder{second}_conf": encoder}
        config |= {f"decoder{second}": "FsmnDecoderSCAMAOpt", f"decoder{second}_conf": decoder}
        config |= {f"predictor{second}": "CifPredictor", f"predictor{second}_conf": predictor}
    return _write(folder, config | _CHARACTERS, tokens=TOKENS, features=560)


def _write(
    folder: Path,
    config: dict[str, Any],
    tokens: list[str] | None = None,
    features: int = 0,
    shifted: dict[str, tuple[int, float]] | None = None,
    bpe: bool = False,
    found: dict[str, Any] | None = None,
    without: dict[str, Any] | None = None,
) -> Path:
    """Writes the folder. `found` are files in it that the configuration means; `without` is not made."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = copy.deepcopy(config) | (without or {})
    for part, names in (found or {}).items():
        whole[part] |= {name: str(folder / file) for name, file in names.items()}
    found = {"init_param": "model.pt", "config": "config.yaml"} | (found or {})
    if tokens:
        (folder / "tokens.json").write_text(json.dumps(tokens, ensure_ascii=False), encoding="utf-8")
        found["tokenizer_conf"] = {"token_list": "tokens.json"}
        whole["tokenizer_conf"]["token_list"] = str(folder / "tokens.json")
    if bpe:
        found["tokenizer_conf"] = {"bpemodel": "bpe.model"}
        whole["tokenizer_conf"]["bpemodel"] = str(folder / "bpe.model")
    if features:
        (folder / "am.mvn").write_text(_normalisation(features))
        found["frontend_conf"] = {"cmvn_file": "am.mvn"}
    (folder / "config.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    (folder / "configuration.json").write_text(json.dumps({"framework": "pytorch", "file_path_metas": found}))
    with redirect_stdout(io.StringIO()):
        network, _ = _auto_model().build_model(**whole, device="cpu", ncpu=torch.get_num_threads(), seed=1)
    state = network.state_dict()
    for name, (index, amount) in (shifted or {}).items():
        state[name][index] += amount
    torch.save(state, folder / "model.pt")
    return folder


def _normalisation(features: int) -> str:
    """Kaldi's text for: add nothing, multiply by one."""
    rows = [
        ("AddShift", " ".join(["0"] * features)),
        ("Rescale", " ".join(["1"] * features)),
    ]
    body = "".join(f"<{name}> {features} {features}\n<LearnRateCoef> 0 [ {row} ]\n" for name, row in rows)
    return f"<Nnet>\n<Splice> {features} {features}\n[ 0 ]\n{body}</Nnet>\n"
