"""Temperature, calibration error and threshold against cases whose answers are known."""

import pytest
import torch

from core.training.calibration import expected_calibration_error, fit_temperature, refusal_threshold


def test_the_temperature_of_overconfident_logits_is_found():
    generator = torch.Generator().manual_seed(0)
    honest = torch.randn(20_000, 10, generator=generator) * 2
    labels = torch.multinomial(honest.softmax(1), 1, generator=generator)[:, 0]
    assert fit_temperature(honest * 3, labels) == pytest.approx(3, rel=0.05)
    assert fit_temperature(honest, labels) == pytest.approx(1, rel=0.05)


def test_calibration_error_of_a_known_case():
    probabilities = torch.tensor([[0.9, 0.1]] * 10)
    labels = torch.tensor([0] * 6 + [1] * 4)  # 90 % sure, 60 % right
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.3, abs=1e-6)
    assert expected_calibration_error(torch.tensor([[1.0, 0.0]] * 4), torch.zeros(4, dtype=torch.long)) == 0


def test_the_threshold_refuses_the_asked_share():
    scores = torch.arange(1000, dtype=torch.float32)
    threshold = refusal_threshold(scores, 0.01)
    assert (scores < threshold).sum() == 10
