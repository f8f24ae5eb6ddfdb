"""Groups over the processor cores, GPUs and machines there are.

`encode` and `decode` map groups in order; where they run is an
`concurrent.futures.Executor`'s business, or of nobody but this process.
"""

from nacrith.workers.base import OpenCodec, Workers
from nacrith.workers.in_process import InProcess

__all__ = ["InProcess", "OpenCodec", "Workers"]
