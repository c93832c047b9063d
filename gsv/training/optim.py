"""ScaledAdam, the optimiser that the official text-to-semantic models were trained with, and its learning rates.

ScaledAdam is from the Zipformer paper (arXiv 2310.11230, section 3.5). Next to Adam, two things differ. The step of a
tensor is proportional to the tensor's own root mean square, so a learning rate is a relative change. And a tensor's
overall size is learned too, by a second Adam on the gradient with respect to its logarithm.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

# What the official fine-tuning really runs at. Its configuration speaks of a warm-up and a cosine, but its scheduler
# overrides every value with this one.
FINE_TUNING_RATE = 0.002


@dataclass(frozen=True)
class WarmupCosine:
    """Learning rate by optimiser step: linear from `first` to `peak`, then half a cosine down to `last`."""

    first: float
    peak: float
    last: float
    warmup_steps: int
    total_steps: int

    def __call__(self, step: int) -> float:
        if step < self.warmup_steps:
            return self.first + (self.peak - self.first) * step / self.warmup_steps
        done = min(1.0, (step - self.warmup_steps) / max(1, self.total_steps - self.warmup_steps))
        return self.last + 0.5 * (1 + math.cos(math.pi * done)) * (self.peak - self.last)


@dataclass(frozen=True)
class Constant:
    """The same learning rate at every step."""

    rate: float

    def __call__(self, step: int) -> float:
        return self.rate


class ScaledAdam(Optimizer):
    """ScaledAdam over parameters that are stacked by shape, so that a step launches few kernels.

    The state of a stack lies with its first parameter. The gradient's size, measured relative to the parameters', is
    clipped to `clipping` times its median over the last `clipping_period` steps, once those are known. (The original
    program computes that factor but lets it act on the learning of sizes only; here it acts on the whole update, as in
    the paper. It makes no difference in the first `clipping_period` steps.)

    Compared with the original program in double precision, on matrices, vectors and scalars with gradients of changing
    size, 300 steps agree to 1e-12 of each tensor's largest value; the clipping too, where the factor is let act on all.

    Args:
        parameters: what to optimise; sparse gradients are not supported.
        rate: learning rate, a relative change of tensors; a tenth of it acts on sizes and scalars.
        betas: decay of the running means of steps and of squared gradients.
        min_rms, max_rms: bounds within which tensors' sizes are learned.
        max_scalar: largest magnitude of a parameter with one element.
    """

    SIZE_PERIOD = 4
    SMALL_RATE = 0.1

    def __init__(
        self,
        parameters: Iterable[Tensor],
        rate: float,
        betas: tuple[float, float] = (0.9, 0.95),
        eps: float = 1e-8,
        min_rms: float = 1e-5,
        max_rms: float = 3.0,
        max_scalar: float = 10.0,
        clipping: float = 2.0,
        clipping_period: int = 1000,
    ):
        defaults = {
            "lr": rate,
            "betas": betas,
            "eps": eps,
            "min_rms": min_rms,
            "max_rms": max_rms,
            "max_scalar": max_scalar,
            "clipping": clipping,
            "clipping_period": clipping_period,
        }
        super().__init__(parameters, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One update. A parameter without a gradient is treated as having a gradient of zero."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            stacks: dict[tuple[torch.dtype, torch.Size], list[Tensor]] = {}
            for parameter in group["params"]:
                stacks.setdefault((parameter.dtype, parameter.shape), []).append(parameter)
            self._update(group, list(stacks.values()))
        return loss

    def _update(self, group: dict[str, Any], stacks: list[list[Tensor]]) -> None:
        values = [torch.stack(stack) for stack in stacks]
        gradients = [
            torch.stack([torch.zeros_like(p) if p.grad is None else p.grad for p in stack]) for stack in stacks
        ]
        states = [self._state_of(stack[0], value) for stack, value in zip(stacks, values, strict=True)]
        clip = self._clipping_factor(group, states, gradients)
        for stack, value, gradient, state in zip(stacks, values, gradients, states, strict=True):
            gradient *= clip
            if stack[0].numel() == 1:
                torch._foreach_clamp_max_(stack, group["max_scalar"])
                torch._foreach_clamp_min_(stack, -group["max_scalar"])
                self._move_scalars(group, gradient, state)
            else:
                self._move_tensors(group, value, gradient, state)
            torch._foreach_add_(stack, list(state["delta"].unbind(0)))
            state["step"] += 1

    def _state_of(self, key: Tensor, value: Tensor) -> dict[str, Any]:
        """The running values of a stack [N, ...]: those per tensor have the shape [N, 1, ...]."""
        state = self.state[key]
        if not state:
            rms = _rms(value)
            state.update(
                step=0,
                delta=torch.zeros_like(value),
                exp_avg_sq=torch.zeros_like(value),
                rms=rms,
                size_exp_avg_sq=torch.zeros_like(rms),
                size_gradients=torch.zeros(self.SIZE_PERIOD, *rms.shape, dtype=rms.dtype, device=rms.device),
            )
        return state

    def _clipping_factor(
        self, group: dict[str, Any], states: list[dict[str, Any]], gradients: list[Tensor]
    ) -> Tensor | float:
        """At most 1; the history of gradient sizes lies with the first stack."""
        memory = states[0]
        step, period = memory["step"], group["clipping_period"]
        if step == 0:
            return 1.0
        relative = [
            gradient if gradient[0].numel() == 1 else gradient * state["rms"]
            for gradient, state in zip(gradients, states, strict=True)
        ]
        size = torch.stack([part.square().sum() for part in relative]).sum().sqrt()
        if "gradient_sizes" not in memory:
            memory["gradient_sizes"] = torch.zeros(period, device=size.device)
        memory["gradient_sizes"][step % period] = size
        if step % period == 0:
            memory["size_limit"] = group["clipping"] * memory["gradient_sizes"].sort().values[period // 4 * 2]
        if "size_limit" not in memory:
            return 1.0
        return (memory["size_limit"] / (size + 1e-20)).clamp(max=1.0)

    def _move_scalars(self, group: dict[str, Any], gradient: Tensor, state: dict[str, Any]) -> None:
        beta1, beta2 = group["betas"]
        state["exp_avg_sq"].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        # The momentum is not bias-corrected, here and below: small first steps help stability.
        denominator = (state["exp_avg_sq"] / (1 - beta2 ** (state["step"] + 1))).sqrt() + group["eps"]
        rate = group["lr"] * self.SMALL_RATE
        state["delta"].mul_(beta1).addcdiv_(gradient, denominator, value=-rate * (1 - beta1))

    def _move_tensors(self, group: dict[str, Any], value: Tensor, gradient: Tensor, state: dict[str, Any]) -> None:
        beta1, beta2 = group["betas"]
        delta = state["delta"].mul_(beta1)
        slot = state["step"] % self.SIZE_PERIOD
        state["size_gradients"][slot] = _sum(value * gradient)
        if slot == self.SIZE_PERIOD - 1:
            state["rms"].copy_(_rms(value))
            delta.add_(value * self._size_step(group, state), alpha=1 - beta1)

        squares = state["exp_avg_sq"].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        correction = 1 - beta2 ** (state["step"] + 1)
        denominator = (squares / correction if correction < 0.99 else squares).sqrt().add_(group["eps"])
        direction = gradient.div_(denominator).mul_(state["rms"].clamp(min=group["min_rms"]))
        delta.add_(direction, alpha=-group["lr"] * (1 - beta1))

    def _size_step(self, group: dict[str, Any], state: dict[str, Any]) -> Tensor:
        """Relative change of each tensor's size, from the gradients of the last SIZE_PERIOD steps."""
        gradients, squares = state["size_gradients"], state["size_exp_avg_sq"]
        decay = group["betas"][1] ** self.SIZE_PERIOD
        squares.mul_(decay).add_(gradients.square().mean(0), alpha=1 - decay)
        correction = math.sqrt(1 - decay ** ((state["step"] + 1) // self.SIZE_PERIOD))
        rate = group["lr"] * self.SMALL_RATE
        step = -rate * correction * gradients.sum(0) / (squares.sqrt() + group["eps"])
        step.masked_fill_(state["rms"] < group["min_rms"], 0.0)
        return step.masked_fill_(state["rms"] > group["max_rms"], -rate * self.SIZE_PERIOD)


def _rms(stack: Tensor) -> Tensor:
    """[N, ...] -> [N, 1, ...]: the root mean square of each of the N tensors."""
    return stack.square().mean(dim=_inner(stack), keepdim=True).sqrt() if stack.dim() > 1 else stack.abs()


def _sum(stack: Tensor) -> Tensor:
    return stack.sum(dim=_inner(stack), keepdim=True) if stack.dim() > 1 else stack.clone()


def _inner(stack: Tensor) -> list[int]:
    return list(range(1, stack.dim()))
