"""Optuna's TPE, whose densities are computed by array instead of number by number.

Of the time of an ask Optuna spends most on the normal distribution's tails: a few thousand of them, each by a
call of a Python function. A few calls of scipy give the same (docs/decisions, "TPE with densities by array").
What is proposed, and from which random numbers, stays Optuna's: the tests hold it to that.
"""

import numpy as np
from numpy.typing import NDArray
from optuna.samplers import TPESampler
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator
from optuna.samplers._tpe.probability_distributions import (
    _BatchedCategoricalDistributions,
    _BatchedDistributions,
)
from scipy.special import log_ndtr  # type: ignore[import-untyped]  # ships no types

Floats = NDArray[np.float64]
_LOG_SQRT_2_PI = 0.5 * np.log(2 * np.pi)


class Tpe(TPESampler):
    """One instance for the whole search: a new one would go through all trials again at each ask."""

    def __init__(self) -> None:
        super().__init__()
        self._parzen_estimator_cls = Densities  # the place where Optuna lets others take over

    def seed(self, seed: int) -> None:
        """Start the random numbers of the next ask."""
        # Optuna's own reseed_rng takes no seed; these are the two generators it reseeds.
        self._rng.rng.seed(seed)
        self._random_sampler._rng.rng.seed(seed)


class Densities(_ParzenEstimator):
    """Optuna's mixture of kernels, one per trial and one for the whole space."""

    def log_pdf(self, samples_dict: dict[str, Floats]) -> Floats:
        """Logarithm of the density at each sample; of a parameter with steps it is the mass of the step."""
        mixture = self._mixture_distribution
        logs: Floats = np.log(mixture.weights)[np.newaxis]
        for kernels, values in zip(mixture.distributions, self._transform(samples_dict).T, strict=True):
            logs = logs + _log_densities(kernels, values)
        highest: Floats = logs.max(axis=1)
        relative: Floats = np.exp(logs - highest[:, np.newaxis]).sum(axis=1)
        return highest + np.log(relative)


def _log_densities(kernels: _BatchedDistributions, values: Floats) -> Floats:
    """Those of one parameter under each kernel alone: [sample, kernel]."""
    if isinstance(kernels, _BatchedCategoricalDistributions):
        weights: Floats = kernels.weights[:, values.astype(int)].T
        return np.log(weights)
    low, high = kernels.adapted_low, kernels.adapted_high
    whole = _log_mass((low - kernels.mu) / kernels.sigma, (high - kernels.mu) / kernels.sigma)
    if kernels.step:
        values, places = np.unique(values, return_inverse=True)
        edges = np.stack([values - kernels.step / 2, values + kernels.step / 2])
        edges = np.log(edges) if kernels.is_log else edges
        left, right = (edges[:, :, np.newaxis] - kernels.mu) / kernels.sigma
        masses: Floats = _log_mass(left, right) - whole
        return masses[places]
    values = np.log(values) if kernels.is_log else values
    distances: Floats = (values[:, np.newaxis] - kernels.mu) / kernels.sigma
    scales: Floats = _LOG_SQRT_2_PI + np.log(kernels.sigma) + whole
    return -0.5 * distances**2 - scales


def _log_mass(left: Floats, right: Floats) -> Floats:
    """Logarithm of the normal distribution's mass between points, taken on the side where it is exact."""
    is_mostly_right = left + right > 0
    low = np.where(is_mostly_right, -right, left)
    high = np.where(is_mostly_right, -left, right)
    log_low: Floats = log_ndtr(low)
    log_high: Floats = log_ndtr(high)
    return log_high + np.log1p(-np.exp(log_low - log_high))
