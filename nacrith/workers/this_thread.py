"""An executor that needs nothing: a call runs when its result is asked for."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class InThisThread(Executor):
    """Runs calls in the thread that asks for their results."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return _WhenAsked(function, args)


class _WhenAsked(Future):
    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        super().__init__()
        self._function = function
        self._args = args

    def result(self, timeout: float | None = None) -> Any:
        if not self.done():
            try:
                self.set_result(self._function(*self._args))
            except Exception as error:
                self.set_exception(error)
        return super().result(timeout)
