"""Libraries that talk while they work."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

import onnxruntime  # type: ignore[import-untyped]  # ships no types


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence warnings, log records and printing of the exporter and the quantizer, not their exceptions.

    They advise on options that are set on purpose here, and print progress that would end in the trial's log.
    """
    before = logging.root.manager.disable
    onnxruntime.set_default_logger_severity(3)  # errors only; it cannot be asked what it was
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
