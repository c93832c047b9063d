"""A classifier of the user's own: a tiny one that knows two dozen words, saved as such models are."""

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from gsv import Engine
from gsv.errors import InputError
from gsv.synthesis.classifying import Classifier
from gsv.synthesis.manner import EMOTIONS, Bank, Feelings
from gsv.synthesis.voice import Voice
from gsv.synthesis.wording import manner_of

LABELS = {0: "Joy", 1: "sadness", 2: "LABEL_2"}
VOCABULARY = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "party", "funeral", "thing", "slowly"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose classes are the words party, funeral and thing."""
    made = tmp_path_factory.mktemp("emotions")
    tokenizer = Tokenizer(WordLevel({word: i for i, word in enumerate(VOCABULARY)}, "[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]"
    ).save_pretrained(made / "model")
    width = 16
    model = BertForSequenceClassification(
        BertConfig(
            vocab_size=len(VOCABULARY), hidden_size=width, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=8, id2label=LABELS, label2id={label: i for i, label in LABELS.items()},
        )
    )  # fmt: skip
    with torch.no_grad():
        for parameter in model.bert.encoder.parameters():
            parameter.zero_()
        model.bert.encoder.layer[0].attention.output.LayerNorm.weight.fill_(1)
        model.bert.encoder.layer[0].output.LayerNorm.weight.fill_(1)
        model.bert.embeddings.position_embeddings.weight.zero_()
        model.bert.embeddings.token_type_embeddings.weight.zero_()
        model.bert.embeddings.word_embeddings.weight.copy_(torch.eye(len(VOCABULARY), width))
        model.bert.pooler.dense.weight.copy_(torch.eye(width))
        model.classifier.weight.zero_()
        for label, word in enumerate(("party", "funeral", "thing")):
            model.classifier.weight[label, VOCABULARY.index(word)] = 10
    model.save_pretrained(made / "model")
    return made


def configured(folder: Path, text: str) -> Classifier | None:
    (folder / "classifier.yaml").write_text(text, "utf-8")
    return Classifier.load(folder)


def test_labels_that_are_known_stand_for_their_emotions(folder: Path) -> None:
    classifier = configured(folder, "model: model")
    assert classifier is not None
    for word, emotion in (("party", "happy"), ("funeral", "sad")):
        vector = classifier(word)
        assert len(vector) == len(EMOTIONS) and max(vector) == vector[EMOTIONS.index(emotion)] > 0.95
    assert max(classifier("thing")) < 0.05


def test_labels_mean_what_the_file_says(folder: Path) -> None:
    classifier = configured(folder, "model: model\nlabels: {LABEL_2: {angry: 0.5, disgusted: 0.25}, Joy: {}}")
    assert classifier is not None
    vector = dict(zip(EMOTIONS, classifier("thing"), strict=True))
    assert vector["angry"] == pytest.approx(0.5, abs=0.03) and vector["disgusted"] == pytest.approx(0.25, abs=0.02)
    assert classifier("party")[EMOTIONS.index("happy")] == 0


@pytest.mark.parametrize("text", ["", "\x00", "\ud800", "party " * 5000, "😀" * 3000])
def test_any_text_has_some_emotion_within_bounds(folder: Path, text: str) -> None:
    classifier = configured(folder, "model: model")
    assert classifier is not None
    assert all(0 <= value <= 1 for value in classifier(text))


def test_it_is_asked_instead_of_the_lexicon_which_still_knows_the_melody(
    folder: Path, engine: Engine, voice: Voice
) -> None:
    feelings = Feelings(Bank(), configured(folder, "model: model"))
    sad = manner_of("funeral", feelings, engine, voice)
    assert sad.prosody.pace < 0.9 and sad.notes[0] == "The classifier hears: sad 1.00."
    slow = manner_of("funeral slowly", feelings, engine, voice)
    assert slow.prosody.pace < sad.prosody.pace and slow.notes[1] == "Of the melody was understood: slowly."
    # The word is known to the lexicon alone.
    assert (
        manner_of("happy", feelings, engine, voice).prosody.pitch
        < manner_of("happy", Feelings(Bank()), engine, voice).prosody.pitch
    )


def test_without_a_file_there_is_none(tmp_path: Path) -> None:
    assert Classifier.load(tmp_path) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "not right YAML"),
        ("labels: {}", "classifier.yaml, model"),
        ("model: model\nmore: 1", "classifier.yaml, more"),
        ("model: nowhere", "no folder of a transformers text-classification model"),
        ("model: model\nlabels: {other: {happy: 1}}", "labels that the model does not have: other"),
        ("model: model\nlabels: {Joy: {glee: 1}}", "glee is not one of happy, angry"),
        ("model: model\nlabels: {Joy: {happy: 2}}", "classifier.yaml, labels.Joy.happy"),
        ("model: model\nlabels: {Joy: {}, sadness: {}}", "does not say what the model's labels mean"),
    ],
)
def test_what_is_not_right_is_named(folder: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        configured(folder, text)


def test_weights_that_could_run_something_are_not_opened(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / "model" / name).write_bytes((folder / "model" / name).read_bytes())
    torch.save({}, tmp_path / "model" / "pytorch_model.bin")
    with pytest.raises(InputError, match="cannot be loaded"):
        configured(tmp_path, "model: model")
