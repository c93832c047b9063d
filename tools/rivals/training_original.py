"""Training steps of RVC-Boss/GPT-SoVITS, from a checkout: its networks, losses and optimisers, used as its scripts do.

Left out is what its scripts do around a step: reading data, logging, and sharing gradients between processes.
"""

import torch
from trainer import GATHERED, Batches, Trainer, answer, lengths
from worker import Job, find_checkout, serve


class SovitsTrainer(Trainer):
    def __init__(self, job: Job):
        super().__init__()
        find_checkout(job.folder)
        from module import commons, losses, mel_processing
        from module.models import MultiPeriodDiscriminator, SynthesizerTrn

        self.commons, self.losses, self.mel = commons, losses, mel_processing
        file = torch.load(job.sovits, map_location="cpu", weights_only=True)
        self.data, self.train = file["config"]["data"], file["config"]["train"]
        self.segment = self.train["segment_size"]
        model = {**file["config"]["model"], "version": "v2"}
        self.generator = SynthesizerTrn(
            self.data["filter_length"] // 2 + 1,
            self.segment // self.data["hop_length"],
            n_speakers=self.data["n_speakers"],
            **model,
        )
        self.generator.load_state_dict(file["weight"], strict=False)
        self.critics = MultiPeriodDiscriminator(False, version="v2")
        self.generator.train()
        self.critics.train()
        rate = self.train["learning_rate"]
        adam = {"lr": rate, "betas": tuple(self.train["betas"]), "eps": self.train["eps"]}
        text = [self.generator.enc_p.text_embedding, self.generator.enc_p.encoder_text, self.generator.enc_p.mrte]
        apart = [list(module.parameters()) for module in text]
        seen = {id(parameter) for group in apart for parameter in group}
        rest = [one for one in self.generator.parameters() if id(one) not in seen and one.requires_grad]
        slow = rate * self.train["text_low_lr_rate"]
        groups = [{"params": rest}, *({"params": group, "lr": slow} for group in apart)]
        self.optimizer_g = torch.optim.AdamW(groups, **adam)
        self.optimizer_d = torch.optim.AdamW(self.critics.parameters(), **adam)
        self.given = Batches(job.inputs)

    def step(self) -> float:
        data, hop = self.data, self.data["hop_length"]
        fake, kl_ssl, starts, _, mask, latents, _ = self.generator(
            self.given.ssl, self.given.spec, lengths(self.given.spec), self.given.text, lengths(self.given.text)
        )
        _, z_p, m_p, logs_p, _, logs_q = latents
        ends = data["mel_fmin"], data["mel_fmax"]
        shape = data["filter_length"], data["n_mel_channels"], data["sampling_rate"]
        mel = self.mel.spec_to_mel_torch(self.given.spec, *shape, *ends)
        real_mel = self.commons.slice_segments(mel, starts, self.segment // hop)
        fake_mel = self.mel.mel_spectrogram_torch(fake.squeeze(1), *shape, hop, data["win_length"], *ends)
        real = self.commons.slice_segments(self.given.wave, starts * hop, self.segment)

        scores_real, scores_fake, _, _ = self.critics(real, fake.detach())
        loss_d, _, _ = self.losses.discriminator_loss(scores_real, scores_fake)
        self.optimizer_d.zero_grad()
        loss_d.backward()
        self.commons.clip_grad_value_(self.critics.parameters(), None)
        self.optimizer_d.step()

        _, scores, maps_real, maps_fake = self.critics(real, fake)
        adversarial, _ = self.losses.generator_loss(scores)
        loss = (
            adversarial
            + self.losses.feature_loss(maps_real, maps_fake)
            + self.train["c_mel"] * torch.nn.functional.l1_loss(real_mel, fake_mel)
            + kl_ssl
            + self.train["c_kl"] * self.losses.kl_loss(z_p, logs_q, m_p, logs_p, mask)
        )
        self.optimizer_g.zero_grad()
        loss.backward()
        self.commons.clip_grad_value_(self.generator.parameters(), None)
        self.optimizer_g.step()
        return float(loss)


class GptTrainer(Trainer):
    def __init__(self, job: Job):
        super().__init__()
        find_checkout(job.folder)
        from AR.models.t2s_model import Text2SemanticDecoder
        from AR.modules.optim import ScaledAdam

        file = torch.load(job.gpt, map_location="cpu", weights_only=True)
        self.network = Text2SemanticDecoder(file["config"], top_k=3)
        self.network.load_state_dict({name.removeprefix("model."): tensor for name, tensor in file["weight"].items()})
        self.network.train()
        self.optimizer = ScaledAdam(
            self.network.parameters(),
            lr=0.01,
            betas=(0.9, 0.95),
            clipping_scale=2.0,
            parameters_names=[[name for name, _ in self.network.named_parameters()]],
            show_dominant_parameters=False,
            clipping_update_period=1000,
        )
        self.given = Batches(job.inputs)

    def step(self) -> float:
        total = 0.0
        for _ in range(GATHERED):
            loss, _ = self.network.forward_old(
                self.given.text,
                lengths(self.given.text),
                self.given.tokens,
                lengths(self.given.tokens),
                self.given.bert,
            )
            loss.backward()
            total += float(loss)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return total / GATHERED


if __name__ == "__main__":
    serve(lambda job: {"sovits": SovitsTrainer, "gpt": GptTrainer}[job.variant](job), answer)
