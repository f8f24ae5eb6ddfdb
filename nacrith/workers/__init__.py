"""Frames over the processor cores, GPUs and machines there are.

Workers map frames in order. Where a frame runs is the business of a
`concurrent.futures.Executor`, or of nobody but this process.
"""

from nacrith.workers.base import Workers
from nacrith.workers.in_process import InProcess, in_this_process, place_for_sole

__all__ = ["InProcess", "Workers", "in_this_process", "place_for_sole"]
