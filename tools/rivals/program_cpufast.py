"""baicai-1145/GPT-SoVITS-CPUFast, from a checkout: the original's networks, loaded the way that its pipeline does."""

from typing import Any

from official import Official
from worker import serve


class CpuFast(Official):
    def loaded_sovits(self, file: dict[str, Any]) -> Any:
        network = super().loaded_sovits(file)
        network.dec.remove_weight_norm()
        return network

    def loaded_t2s(self, file: dict[str, Any]) -> Any:
        from AR.models.t2s_lightning_module import Text2SemanticLightningModule

        module = Text2SemanticLightningModule(
            file["config"], "", is_train=False, build_t2s_transformer=False, build_h_module=False
        )
        module.load_inference_only_state_dict(file["weight"])
        module.model.release_inference_only_unused_modules()
        return module.model.eval()


if __name__ == "__main__":
    serve(CpuFast)
