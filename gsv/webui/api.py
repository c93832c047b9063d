"""The endpoints that scripts call and buttons use: one method each, with the names and defaults that scripts expect.

Values come back as plain JSON. An empty text, or no number, stands for what the app would fill in by itself. `open_*`
tell how far their job is until it has ended; `close_*` end it.
"""

import re
from collections.abc import Generator, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from gsv.errors import GsvError, InputError, MissingWeightsError
from gsv.jobs.process import Status
from gsv.jobs.registry import Occupied
from gsv.jobs.stages import STAGES, Stage
from gsv.versions import version_named
from gsv.webui import companions, experiments, machine, running, status
from gsv.webui.home import Home
from gsv.webui.settings import Settings
from gsv.webui.weights import gpt_weights, relative, sovits_weights

if TYPE_CHECKING:
    from gsv.dataset.transcription import Engine

# Of a fine-tuning; the stages' options have them too, and loading those would load torch.
SOVITS_EPOCHS, GPT_EPOCHS = 8, 15
SOVITS_SAVE_EVERY, GPT_SAVE_EVERY = 4, 5
LORA_RANKS = ("16", "32", "64", "128")

Switched = tuple[str, str, str, str, str, int, int, int, bool, bool, bool, bool]


class Api:
    """What can be done, on one project."""

    def __init__(self, home: Home, settings: Settings, serving: companions.Companions) -> None:
        self.home = home
        self.settings = settings
        self.serving = serving
        self.project = home.project

    # 0: from recordings to a list.

    def change_lang_choices(self, key: str) -> list[str]:
        """The languages that a recogniser knows; the first is its default."""
        return list(_recogniser(key).languages)

    def change_size_choices(self, key: str) -> list[str]:
        """The sizes that a recogniser's model comes in; those on disk end in -local."""
        return _recogniser(key).sizes_marked(self.project)

    def change_precision_choices(self, key: str) -> list[str]:
        """The precisions that a recogniser computes in."""
        return list(_recogniser(key).precisions)

    def open_asr(
        self,
        asr_inp_dir: str,
        asr_opt_dir: str = "output/asr_opt",
        asr_model: str = "达摩 ASR (中文)",
        asr_model_size: str = "large",
        asr_lang: str = "zh",
        asr_precision: str = "float32",
    ) -> Iterator[tuple[str, str, str, str]]:
        """Writes down what is said in recordings: status, list file, list file for 1a, folder of recordings."""
        from gsv.dataset.transcription import list_file

        recordings = self.home.existing(asr_inp_dir, "asr_inp_dir")
        # Before a process is started for it.
        _recogniser(asr_model, "asr_model").choice(asr_lang, asr_model_size, asr_precision)
        values = {
            "asr_inp_dir": recordings,
            "asr_opt_dir": self.home.output(asr_opt_dir, "asr_opt_dir"),
            "asr_model": asr_model,
            "asr_model_size": asr_model_size,
            "asr_lang": asr_lang,
            "asr_precision": asr_precision,
        }
        stage = STAGES["transcribe"]
        made = str(list_file(stage.read(values, self.project)))
        folder = recordings.parent if recordings.is_file() else recordings
        for line in self._run("asr", stage, values):
            yield line, made, made, str(folder)

    def close_asr(self) -> str:
        """Ends the recognition."""
        return self._close("asr")

    def open_slice(
        self,
        inp: str,
        opt_root: str = "output/slicer_opt",
        threshold: str = "-34",
        min_length: str = "4000",
        min_interval: str = "300",
        hop_size: str = "10",
        max_sil_kept: str = "500",
        _max: float = 0.9,
        alpha: float = 0.25,
        n_parts: int = 4,
    ) -> Iterator[tuple[str, str, str, str]]:
        """Cuts recordings in their pauses: status, folder for recognition, for denoising, of training audio."""
        folder = self.home.output(opt_root, "opt_root")
        values = {
            "inp": self.home.existing(inp, "inp"),
            "opt_root": folder,
            "threshold": threshold,
            "min_length": min_length,
            "min_interval": min_interval,
            "hop_size": hop_size,
            "max_sil_kept": max_sil_kept,
            "peak": _max,
            "alpha": alpha,
            "n_parts": n_parts,
        }
        for line in self._run("slice", STAGES["slice"], values, {"peak": "_max"}):
            yield line, str(folder), str(folder), str(folder)

    def close_slice(self) -> str:
        """Ends the cutting."""
        return self._close("slice")

    def open_denoise(
        self, denoise_inp_dir: str, denoise_opt_dir: str = "output/denoise_opt"
    ) -> Iterator[tuple[str, str, str]]:
        """Takes noise out of recordings: status, folder for recognition, folder of training audio."""
        folder = self.home.output(denoise_opt_dir, "denoise_opt_dir")
        values = {"denoise_inp_dir": self.home.existing(denoise_inp_dir, "denoise_inp_dir"), "denoise_opt_dir": folder}
        for line in self._run("denoise", STAGES["denoise"], values):
            yield line, str(folder), str(folder)

    def close_denoise(self) -> str:
        """Ends the denoising."""
        return self._close("denoise")

    def change_label(self, path_list: str) -> str:
        """Opens the labelling pages at port 9871 with a list file, or closes them if they are open."""
        values: dict[str, object] = {}
        if path_list.strip():
            values["path_list"] = self.home.existing(path_list, "path_list")
        return self._toggle("label", companions.LABELLING, values)

    def change_uvr5(self) -> str:
        """Opens the pages for separating voices from music at port 9873, or closes them if they are open."""
        return self._toggle("uvr5", companions.SEPARATION, {})

    # 1A: from a list to features.

    def open1a(
        self,
        inp_text: str,
        inp_wav_dir: str,
        exp_name: str = "",
        gpu_numbers: str = "0-0",
        bert_pretrained_dir: str = "",
    ) -> Iterator[str]:
        """Stage 1a: phonemes and text features of every line."""
        values = self._prepare(inp_text, inp_wav_dir, exp_name, bert_pretrained_dir=bert_pretrained_dir)
        yield from self._features("1a", values, {"1a": (gpu_numbers, "gpu_numbers")})

    def close1a(self) -> str:
        """Ends stage 1a."""
        return self._close("1a")

    def open1b(
        self,
        inp_text: str,
        inp_wav_dir: str,
        exp_name: str = "",
        gpu_numbers: str = "0-0",
        ssl_pretrained_dir: str = "",
    ) -> Iterator[str]:
        """Stage 1b: audio at 32 kHz and its content features for every line."""
        values = self._prepare(inp_text, inp_wav_dir, exp_name, ssl_pretrained_dir=ssl_pretrained_dir)
        yield from self._features("1b", values, {"1b": (gpu_numbers, "gpu_numbers")})

    def close1b(self) -> str:
        """Ends stage 1b."""
        return self._close("1b")

    def open1c(
        self, inp_text: str, exp_name: str = "", gpu_numbers: str = "0-0", pretrained_s2G_path: str = ""
    ) -> Iterator[str]:
        """Stage 1c: semantic tokens of every line."""
        values = self._prepare(inp_text, "", exp_name, pretrained_s2G_path=pretrained_s2G_path)
        yield from self._features("1c", values, {"1c": (gpu_numbers, "gpu_numbers")})

    def close1c(self) -> str:
        """Ends stage 1c."""
        return self._close("1c")

    def open1abc(
        self,
        inp_text: str,
        inp_wav_dir: str,
        exp_name: str = "",
        gpu_numbers1a: str = "0-0",
        gpu_numbers1Ba: str = "0-0",
        gpu_numbers1c: str = "0-0",
        bert_pretrained_dir: str = "",
        ssl_pretrained_dir: str = "",
        pretrained_s2G_path: str = "",
    ) -> Iterator[str]:
        """Stages 1a, 1b and 1c one after another."""
        values = self._prepare(
            inp_text, inp_wav_dir, exp_name, bert_pretrained_dir, ssl_pretrained_dir, pretrained_s2G_path
        )
        gpus = {
            "1a": (gpu_numbers1a, "gpu_numbers1a"),
            "1b": (gpu_numbers1Ba, "gpu_numbers1Ba"),
            "1c": (gpu_numbers1c, "gpu_numbers1c"),
        }
        yield from self._features("1abc", values, gpus)

    def close1abc(self) -> str:
        """Ends the stages 1a, 1b and 1c that were started together."""
        return self._close("1abc")

    # 1B: fine-tuning.

    def open1Ba(
        self,
        batch_size: int | None = None,
        total_epoch: int = SOVITS_EPOCHS,
        exp_name: str = "",
        text_low_lr_rate: float = 0.4,
        if_save_latest: bool = True,
        if_save_every_weights: bool = True,
        save_every_epoch: int = SOVITS_SAVE_EVERY,
        gpu_numbers1Ba: str = "0",
        pretrained_s2G: str = "",
        pretrained_s2D: str = "",
        if_grad_ckpt: bool = False,
        lora_rank: str = "32",
    ) -> Iterator[str]:
        """Trains the SoVITS half on an experiment, going on from what an earlier run left."""
        if str(lora_rank) not in LORA_RANKS:
            raise InputError(f"lora_rank is {lora_rank!r}; it must be one of {', '.join(LORA_RANKS)}.")
        base = self.project.base(self.settings.version)
        values = {
            **self._training(
                experiments.SOVITS_NEEDS,
                exp_name,
                machine.batch_size(self.settings.version.fine_tuning.gib_a_clip) if batch_size is None else batch_size,
                total_epoch,
                if_save_latest,
                if_save_every_weights,
                save_every_epoch,
            ),
            "text_low_lr_rate": text_low_lr_rate,
            "gpus": gpu_numbers1Ba,
            "pretrained_g": self._weights(pretrained_s2G, "pretrained_s2G", base.generator),
            "pretrained_d": self._weights(pretrained_s2D, "pretrained_s2D", base.discriminator),
            "grad_checkpointing": if_grad_ckpt,
            "lora_rank": int(lora_rank) if self.settings.version.trains_lora else None,
        }
        labels = {"gpus": "gpu_numbers1Ba", "grad_checkpointing": "if_grad_ckpt"}
        yield from self._run("1Ba", STAGES["train-sovits"], values, _TRAINING_LABELS | labels)

    def close1Ba(self) -> str:
        """Ends the training of SoVITS; it can be gone on with."""
        return self._close("1Ba")

    def open1Bb(
        self,
        batch_size: int | None = None,
        total_epoch: int = GPT_EPOCHS,
        exp_name: str = "",
        if_dpo: bool = False,
        if_save_latest: bool = True,
        if_save_every_weights: bool = True,
        save_every_epoch: int = GPT_SAVE_EVERY,
        gpu_numbers: str = "0",
        pretrained_s1: str = "",
    ) -> Iterator[str]:
        """Trains the GPT half on an experiment, going on from what an earlier run left."""
        base = self.project.base(self.settings.version)
        values = {
            **self._training(
                experiments.GPT_NEEDS,
                exp_name,
                batch_size,
                total_epoch,
                if_save_latest,
                if_save_every_weights,
                save_every_epoch,
            ),
            "dpo": if_dpo,
            "gpus": gpu_numbers,
            "pretrained": self._weights(pretrained_s1, "pretrained_s1", base.gpt),
        }
        yield from self._run(
            "1Bb", STAGES["train-gpt"], values, _TRAINING_LABELS | {"gpus": "gpu_numbers", "dpo": "if_dpo"}
        )

    def close1Bb(self) -> str:
        """Ends the training of GPT; it can be gone on with."""
        return self._close("1Bb")

    # 1C: speaking, and the app itself.

    def change_choices(self) -> tuple[list[str], list[str]]:
        """The weights there are to speak with, now: those of SoVITS, and those of GPT."""
        return sovits_weights(self.project), gpt_weights(self.project)

    def change_tts_inference(
        self,
        bert_path: str = "",
        cnhubert_base_path: str = "",
        gpu_number: str = "0",
        gpt_path: str = "",
        sovits_path: str = "",
        batched_infer_enabled: bool = False,
    ) -> str:
        """Opens the pages for speaking at port 9872, or closes them if they are open."""
        if re.fullmatch(r"[0-9]{1,4}", str(gpu_number).strip()) is None:
            raise InputError(f"gpu_number is {gpu_number!r}; it must be the number of one GPU, such as 0.")
        base = self.project.base(self.settings.version)
        values: dict[str, object] = {
            "gpus": str(gpu_number).strip(),
            "roberta": self._folder(bert_path, "bert_path", self.project.roberta),
            "hubert": self._folder(cnhubert_base_path, "cnhubert_base_path", self.project.hubert),
            "gpt_path": self._weights(gpt_path, "gpt_path", base.gpt),
            "sovits_path": self._weights(sovits_path, "sovits_path", base.generator),
            "batched": batched_infer_enabled,
        }
        return self._toggle("tts", companions.INFERENCE, values, {"batched": "batched_infer_enabled"})

    def sync(self, text: str) -> str:
        """Gives back the text: what is written in one field is meant for another one too."""
        return text

    def switch_version(self, version_: str) -> Switched:
        """Works with another model version from now on, and says what its fields are filled with.

        The 12 values: s2G path, s2D path, s1 path, GPT choice, SoVITS choice, batch size, SoVITS epochs, save-every,
        whether there is text_low_lr_rate, gradient checkpointing, batched inference, and whether there is a LoRA rank.
        """
        try:
            version = version_named(version_)
        except InputError as error:
            raise InputError(f"version_: {error}") from None
        self.settings.version = version
        base = self.project.base(version)
        generator, discriminator, gpt = (
            "" if path is None else relative(self.project, path)
            for path in (base.generator, base.discriminator, base.gpt)
        )
        tuning = version.fine_tuning
        fields = (machine.batch_size(tuning.gib_a_clip), tuning.epochs, tuning.save_every)
        shown = (not version.uses_flow, False, False, version.trains_lora)
        return (generator, discriminator, gpt, gpt, generator, *fields, *shown)

    # How the above do it.

    def _run(
        self, name: str, stage: Stage, values: Mapping[str, object], labels: Mapping[str, str] | None = None
    ) -> Generator[str, None, bool]:
        return running.run(self.home, name, stage, values, labels)

    def _close(self, name: str) -> str:
        return running.close(self.home, name)

    def _toggle(
        self, name: str, stage: Stage, values: Mapping[str, object], labels: Mapping[str, str] | None = None
    ) -> str:
        """Closes an app that is open; otherwise opens it, and waits until it can be looked at."""
        words = self.home.words
        if running.at_work(self.home, name):
            return self._close(name)
        values = {
            **{key: value for key, value in values.items() if value is not None},
            **self.serving.values(name),
        }
        try:
            job = self.home.jobs.open(stage, values, name, labels)
        except Occupied:
            return status.occupied(words, name)
        now: Status = job.status
        for now in job.statuses():
            if now.state == "failed":
                raise GsvError(status.text(words, now))
            if companions.is_up(now):
                return words("status.open", job=words(f"job.{name}"), url=companions.address(now))
        return status.text(words, now)

    def _weights(self, text: str, argument: str, base: Path | None) -> Path | None:
        """The weight file that a text names; None, the base model, if it names none or that one."""
        path = self.home.path(text, argument) if text.strip() else base
        if path is None:
            return None
        if path.is_dir():
            raise InputError(f"{argument}: {path} is a folder; name the weight file in it.")
        if not path.is_file():
            from gsv.checkpoints import missing_weights

            raise MissingWeightsError(f"{argument}: {missing_weights(path)}")
        return None if base is not None and path == base.absolute() else path

    def _folder(self, text: str, argument: str, usual: Path) -> Path | None:
        """The folder of a model; None, the one that the other models go with, if it is the usual one."""
        if not text.strip() or self.home.path(text, argument) == usual.absolute():
            return None
        return self.home.existing(text, argument)

    def _experiment(self, exp_name: str) -> str:
        name = exp_name.strip() or self.settings.get("exp_name", "xxx")
        try:
            return self.project.experiment(name).name
        except InputError as error:
            raise InputError(f"exp_name: {error}") from None

    def _prepare(
        self,
        inp_text: str,
        inp_wav_dir: str,
        exp_name: str,
        bert_pretrained_dir: str = "",
        ssl_pretrained_dir: str = "",
        pretrained_s2G_path: str = "",
    ) -> dict[str, object]:
        from gsv.dataset.listing import numbered_lines

        path = self.home.existing(inp_text, "inp_text")
        try:
            numbered_lines(path)
        except GsvError as error:
            raise InputError(f"inp_text: {error}") from None
        generator = self.project.base(self.settings.version).generator
        return {
            "list_path": path,
            "audio_folder": self.home.existing(inp_wav_dir, "inp_wav_dir") if inp_wav_dir.strip() else None,
            "experiment": self._experiment(exp_name),
            "version": self.settings.version.name,
            "roberta": self._folder(bert_pretrained_dir, "bert_pretrained_dir", self.project.roberta),
            "hubert": self._folder(ssl_pretrained_dir, "ssl_pretrained_dir", self.project.hubert),
            "generator": self._weights(pretrained_s2G_path, "pretrained_s2G_path", generator),
        }

    def _features(self, name: str, values: Mapping[str, object], gpus: Mapping[str, tuple[str, str]]) -> Iterator[str]:
        """Runs stages, given with their GPUs and what those are called; neighbours with the same GPUs in one job."""
        stage = STAGES["prepare"]
        orders = []
        for numbers, group in groupby(gpus, key=lambda part: gpus[part][0]):
            parts = tuple(group)
            order = {**values, "stages": parts, "gpus": numbers}
            labels = {"gpus": gpus[parts[0]][1], "experiment": "exp_name", "list_path": "inp_text"}
            # All of them before the first is started.
            stage.read({key: value for key, value in order.items() if value is not None}, self.project, labels)
            orders.append(order)
        for order in orders:
            if not (yield from self._run(name, stage, order)):
                return

    def _training(
        self,
        needed: experiments.Needs,
        exp_name: str,
        batch_size: int | None,
        epochs: int,
        save_latest: bool,
        save_every_weights: bool,
        save_every: int,
    ) -> dict[str, object]:
        name = self._experiment(exp_name)
        experiments.check(self.project.experiment(name), needed)
        return {
            "exp": name,
            "version": self.settings.version.name,
            "batch_size": machine.batch_size() if batch_size is None else batch_size,
            "epochs": epochs,
            "keep_only_latest": save_latest,
            "save_every_weights": save_every_weights,
            "save_every_epoch": save_every,
        }


def _recogniser(key: str, argument: str = "key") -> "Engine":
    # Knows what needs torch, which a page that nobody has clicked on can do without.
    from gsv.dataset.transcription import engine_named

    try:
        return engine_named(key)
    except InputError as error:
        raise InputError(str(error).replace("asr_model", argument, 1)) from None


_TRAINING_LABELS = {
    "exp": "exp_name",
    "epochs": "total_epoch",
    "keep_only_latest": "if_save_latest",
    "save_every_weights": "if_save_every_weights",
}
