"""Metrics — one home for what benches and tests say of a picture, each defined where it is computed.

db = metrics.cpsnr(found, truth, gamma=True)
difference = metrics.delta_e_2000(metrics.lab(a), metrics.lab(b))
ghost = metrics.ghost_energy(merged, truth, others)
"""

from ..difference import delta_e_2000, delta_e_itp, itp, lab, pq
from .fidelity import cpsnr, ms_ssim, srgb, ssim
from .merged import FlowError, flow_error, foretold, ghost_energy, noise_drop_db, temporal_variance, variance_ratio

__all__ = [
    "FlowError", "cpsnr", "delta_e_2000", "delta_e_itp", "flow_error", "foretold", "ghost_energy", "itp", "lab",
    "ms_ssim", "noise_drop_db", "pq", "srgb", "ssim", "temporal_variance", "variance_ratio",
]  # fmt: skip
