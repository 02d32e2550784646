"""What user code may raise to say whose fault a failure is; anything else counts as a ConfigurationError.

WorkError                   carries its message to the person as it is, without the exception's name
├── CodeError               the code itself is wrong: no other parameters would help, the run ends
└── ConfigurationError      these parameters do not work: the trial or candidate fails, the run goes on
    └── MemoryLimitError    they need more memory than the manifest gives a trial
"""


class WorkError(Exception):
    """A failure of the user's code, told in one sentence with what to do about it."""


class CodeError(WorkError):
    """The code does not import, lacks a method or does not hold its contract."""


class ConfigurationError(WorkError):
    """The code works, these parameters do not: out of memory, not a number, lost parity."""


class MemoryLimitError(ConfigurationError):
    """A trial needs more memory than the manifest gives it."""
