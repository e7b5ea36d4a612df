"""Which rule checks which kind of claim about iterates and flows away from the fixed point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .direction import diverge_everywhere_proved
from .everywhere import RULES as EVERYWHERE
from .flows import cycle_proved
from .reading import Data
from .uniform import converge_uniformly_proved, converge_uniformly_refuted

Keys = Sequence[str]

RULES: dict[tuple[str, str, str], tuple[Callable[[Data, Any, Data], str], Keys, Keys]] = {
    ("derivatives_diverge_everywhere", "proved", "direction"): (
        diverge_everywhere_proved,
        ("method", "parameter", "direction", "rate", "constant"),
        (),
    ),
    ("flow_cycle", "proved", "crossings"): (
        cycle_proved,
        ("method", "u", "v", "crossings", "multiplier"),
        ("polynomial",),
    ),
    ("iterates_converge_uniformly", "proved", "funnel"): (
        converge_uniformly_proved,
        ("method", "rows", "rate", "constant"),
        (),
    ),
    ("iterates_converge_uniformly", "refuted", "cycle"): (
        converge_uniformly_refuted,
        ("method", "at", "first", "period"),
        (),
    ),
    **EVERYWHERE,
}
CLAIM = {
    "iterates_converge": (),
    "derivatives_diverge_everywhere": ("rate",),
    "iterates_converge_uniformly": ("over", "rate"),
}
OF_MAPS = ("derivatives_diverge_everywhere", "flow_cycle")  # no fixed point is needed
