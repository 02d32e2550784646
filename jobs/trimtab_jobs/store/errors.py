"""What a store or a record refuses, each in one line that names the place, the cause and the fix.

StoreError              the store cannot do it: not writable, full, not there, wrong credentials, no answer
├── MissingError        nothing is stored under this key
├── ExistsError         create-only write of a key that is taken
├── FullError           there is no room, or none left of a quota
└── FencedError         another driver has taken the record over
"""


class StoreError(Exception):
    """The store cannot do what was asked; the message ends with what to do about it."""


class MissingError(StoreError):
    """Nothing is stored under the key."""


class ExistsError(StoreError):
    """The key is taken, and by a write that is not one's own."""


class FullError(StoreError):
    """The store takes nothing more until somebody makes room."""


class FencedError(StoreError):
    """Another driver has taken the record over: this one must stop without writing anything more."""
