"""How int8 weights lie in memory, and the instruction that multiplies them.

They lie in *panels* of 16 columns, [k / 4, 16, 4] int8: four consecutive k of a column are
neighbors, as the dot-product instructions want them.
"""

import llvmlite.binding as llvm
import numba

COLUMNS = 16
"""Columns of a panel: int32 lanes of a register of 512 bits."""

QUAD = 4
"""Consecutive k of a column that are neighbors: bytes of an int32 lane."""

QUAD_BYTES = QUAD * COLUMNS
"""Bytes of a panel for four k."""

PANELS = 2
"""Panels of a tile."""

TILE_COLUMNS = PANELS * COLUMNS
"""Columns of a tile."""

ROW_BYTES = 4 * TILE_COLUMNS
"""Bytes of a row of a tile's int32 sums."""

PANEL_SUM_BYTES = 4 * COLUMNS
"""Bytes of a panel's part of such a row."""

QUAD_SHIFT = 6
"""From the number of a quad to its bytes in a panel, as a shift."""


def _vnni_lanes() -> int:
    """int32 lanes of the widest vpdpbusd that numba may use here; 0 = there is none."""
    if numba.config.CPU_NAME or numba.config.CPU_FEATURES is not None:
        return 0
    features = llvm.get_host_cpu_features()
    if features.get("avx512vnni"):
        return 16
    return 8 if features.get("avxvnni") else 0


VNNI_LANES = _vnni_lanes()
USES_BYTES = VNNI_LANES > 0
OFFSET = 1 << 15 if USES_BYTES else 0
"""What packing adds to signed values; the column sums of the weights take it off again."""
