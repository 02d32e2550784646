"""Where the given model lies, and what lies beside it; everything is verified by its digest on the way."""

from pathlib import Path

from trimtab_jobs.cached import blamed, cached_file
from trimtab_jobs.given.external import leaves_folder
from trimtab_jobs.given.flaws import FlawError
from trimtab_jobs.pool.base import GivenModel
from trimtab_jobs.pool.errors import ConfigurationError
from trimtab_jobs.store.origin import local_path

FIELD = "spec.model.pretrained.uri"


def refused(given: GivenModel, flaw: FlawError) -> ConfigurationError:
    """Return the error that says, in one line, what is wrong with the model, and the fix."""
    return ConfigurationError(f"{FIELD}: {given.uri} {flaw}")


def verified(given: GivenModel) -> Path:
    """Return the local path of the file.

    FlawError for a folder, ConfigurationError when it is not there or another one, StoreError when it cannot
    be fetched.
    """
    with blamed(FIELD):
        path = cached_file(given.uri, given.sha256)
    if path.is_dir():
        raise FlawError("is a folder; name the file in it")
    return path


def beside(given: GivenModel, name: str) -> Path:
    """Return the local path of a file of the model's own folder, which may not be a link out of it."""
    folder, slash, _ = given.uri.rpartition("/")
    uri = f"{folder}{slash}{name}"
    path = local_path(uri)
    if path is not None and leaves_folder(path):
        raise FlawError(f"keeps weights in {name}, a link out of its folder; put the file itself there")
    with blamed(FIELD):
        return cached_file(uri)
