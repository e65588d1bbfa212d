"""Low-rank changes start as none, and merged they are the same encoder as beside it."""

from __future__ import annotations

import numpy as np
import pytest

from newsclf.learners.lora import SCALE, add_lora, merge_lora

torch = pytest.importorskip("torch", reason="the neural extra is not installed")


def module():
    torch.manual_seed(2)
    encoder = torch.nn.Sequential(torch.nn.Embedding(9, 6), torch.nn.Linear(6, 8), torch.nn.GELU(), torch.nn.Linear(8, 6))
    return torch.nn.ModuleDict({"encoder": encoder, "head": torch.nn.Linear(6, 2)})


TOKENS = torch.arange(9)


def said(net):
    with torch.no_grad():
        return net["encoder"](TOKENS).numpy()


def learnt(net, seed=0):
    """Some changes, as if learnt."""
    add = add_lora(net, 3, seed)
    with torch.no_grad():
        for name, values in net["lora"].items():
            if name.endswith("/b"):
                values.normal_(generator=torch.Generator().manual_seed(len(name)))
    return add, {f"lora.{name}": values.detach().numpy().copy() for name, values in net["lora"].items()}


def test_at_first_nothing_is_changed_and_only_matrices_and_head_learn():
    net = module()
    before = said(net)
    add_lora(net, 3, 0)
    assert (said(net) == before).all()
    wanting = {name for name, values in net.named_parameters() if values.requires_grad}
    assert wanting == {"head.weight", "head.bias", *(f"lora.{layer}/{side}" for layer in (1, 3) for side in "ab")}


def test_merged_they_say_the_same_and_taken_off_nothing():
    net = module()
    before = said(net)
    take_off, arrays = learnt(net)
    changed = said(net)
    assert np.abs(changed - before).max() > 0.1
    take_off()
    assert (said(net) == before).all()
    merge_lora(net, arrays)
    np.testing.assert_allclose(said(net), changed, atol=1e-5)
    by_hand = module()["encoder"][1].weight.detach().numpy() + SCALE * arrays["lora.1/b"] @ arrays["lora.1/a"]
    np.testing.assert_allclose(net["encoder"][1].weight.detach().numpy(), by_hand, atol=1e-6)


def test_gradients_reach_the_matrices():
    net = module()
    add_lora(net, 3, 0)
    net["encoder"](TOKENS).sum().backward()
    assert (net["lora"]["1/b"].grad != 0).any()
    assert net["encoder"][1].weight.grad is None


def test_the_matrices_are_drawn_by_the_seed():
    nets = [module() for _ in range(3)]
    for net, seed in zip(nets, (0, 0, 1), strict=True):
        add_lora(net, 3, seed)
    first, again, other = (net["lora"]["1/a"] for net in nets)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    "damage",
    [
        lambda arrays: arrays.pop("lora.3/a"),
        lambda arrays: [arrays.pop("lora.3/a"), arrays.pop("lora.3/b")],
        lambda arrays: arrays.update({"lora.9/a": arrays["lora.1/a"], "lora.9/b": arrays["lora.1/b"]}),
        lambda arrays: arrays.update({"lora.1/a": arrays["lora.1/a"][:2]}),
        lambda arrays: arrays.update({"lora.1/b": arrays["lora.1/b"][:2]}),
        lambda arrays: arrays.update({"lora.1/b": arrays["lora.1/b"][0]}),
    ],
)
def test_changes_of_another_encoder_are_refused(damage):
    net = module()
    take_off, arrays = learnt(net)
    take_off()
    damage(arrays)
    with pytest.raises(ValueError, match=r"the changes (are )?of"):
        merge_lora(net, arrays)
