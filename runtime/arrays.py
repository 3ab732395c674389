"""Array types used in signatures; nothing but a type checker ever looks them up."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Float32: TypeAlias = "NDArray[np.float32]"
Float64: TypeAlias = "NDArray[np.float64]"
Complex64: TypeAlias = "NDArray[np.complex64]"
Int64: TypeAlias = "NDArray[np.int64]"
