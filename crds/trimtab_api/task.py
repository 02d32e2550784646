"""What is optimized: the user's code, its data, and the model it may start from."""

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from trimtab_api.fields import (
    IDENTIFIER,
    Count,
    DataUri,
    Entrypoint,
    Image,
    Label,
    Line,
    RelativePath,
    Sha256,
    Subdomain,
    Text,
    Unique,
    Uri,
)
from trimtab_api.model import Broken, Model, exactly_one, rule


class PvcSource(Model):
    """A folder or file on a persistent volume claim of the job's namespace."""

    claim: Subdomain
    """Name of the claim, in the job's namespace."""
    path: RelativePath | None = None
    """Path on the volume; omitted: its root."""


class ArchiveSource(Model):
    """A zip or tar of code in the store, verified before it is unpacked."""

    uri: Uri
    """Where the archive lies, under one of the profile's prefixes."""
    sha256: Sha256
    """SHA-256 of the archive; another content is refused."""


class CodeSource(Model):
    """Where the entrypoint's module comes from: exactly one of the four."""

    config_map: Subdomain | None = None
    """Name of a ConfigMap whose keys are files, in the same YAML stream or namespace."""
    image: Image | None = None
    """Image with the module in it, by digest."""
    archive: ArchiveSource | None = None
    """Archive in the store, by URI and SHA-256."""
    pvc: PvcSource | None = None
    """Folder on a persistent volume claim."""

    _one_source = exactly_one("configMap", "image", "archive", "pvc")


class DataSource(Model):
    """A named set of data, local to the code as context.data[name]: exactly one of uri, pvc, configMap."""

    name: Label
    """Name by which the code asks for it."""
    uri: DataUri | None = None
    """A file, or a folder but on the web; a relative path starts at the manifest, for trimtab run only."""
    sha256: Sha256 | None = None
    """SHA-256 of the file at uri; another content is refused. Needed for http."""
    pvc: PvcSource | None = None
    """Folder or file on a persistent volume claim."""
    config_map: Subdomain | None = None
    """Name of a ConfigMap whose keys are files."""

    _one_source = exactly_one("uri", "pvc", "configMap")

    @rule("sha256", "!has(self.sha256) || has(self.uri)", "needs uri: only a file at a URI is verified")
    def _verified_by_uri(self) -> bool:
        return self.sha256 is None or self.uri is not None


class TaskSpec(Model):
    """The user's task: what to import, with which arguments, on which data."""

    entrypoint: Entrypoint
    """Class or function to import, as module:attribute."""
    code: CodeSource | None = None
    """Where the module comes from; omitted: a built-in task, the image, or the manifest's folder."""
    args: Annotated[dict[str, Text], Field(max_length=64)] = Field(default_factory=dict)
    """Keyword arguments of the entrypoint's constructor: strings, read as YAML scalars."""
    data: Annotated[tuple[DataSource, ...], Field(max_length=16), Unique("name")] = ()
    """Data the task reads."""

    @rule(
        "args",
        f"self.args.all(name, name.matches('{IDENTIFIER}'))",
        "must be named by Python names, such as batch_size",
    )
    def _args_are_keywords(self) -> Iterator[Broken]:
        for name in self.args:
            if not re.fullmatch(IDENTIFIER, name):
                yield "args", name


class PretrainedModel(Model):
    """The weights or the ONNX model to start from."""

    uri: DataUri
    """Weights (.safetensors), or an .onnx model, which is compressed but not trained."""
    sha256: Sha256 | None = None
    """SHA-256 of the file; another content is refused."""


class Unfreeze(Model):
    """Gradual unfreezing: one more group of frozen parameters at a time, from the head down."""

    every_epochs: Count
    """Epochs between two groups."""


class Head(Model):
    """A new output layer for the classes of this task."""

    replace: Line
    """Name of the module to replace, as in named_modules()."""
    classes: Annotated[int, Field(ge=2, le=1_000_000)]
    """Number of outputs of the new layer."""


class ModelSpec(Model):
    """An existing model to start from, and what of it is trained."""

    pretrained: PretrainedModel
    """The weights or the ONNX model to start from."""
    freeze: Annotated[tuple[Line, ...], Field(max_length=64)] = ()
    """Patterns of parameter names that stay as they are."""
    unfreeze: Unfreeze | None = None
    """Thaw what is frozen step by step; omitted: it stays frozen."""
    head: Head | None = None
    """Replace the output layer; omitted: keep it."""

    @rule(
        "unfreeze",
        "!has(self.unfreeze) || (has(self.freeze) && size(self.freeze) > 0)",
        "needs freeze: there is nothing to thaw",
    )
    def _something_to_thaw(self) -> bool:
        return self.unfreeze is None or bool(self.freeze)

    @rule(
        "pretrained.uri",
        "!self.pretrained.uri.endsWith('.onnx')"
        " || (!has(self.head) && (!has(self.freeze) || size(self.freeze) == 0))",
        "must be torch weights where freeze or head is given: an .onnx model is not trained",
    )
    def _onnx_stays_as_it_is(self) -> bool:
        return not self.is_onnx or (self.head is None and not self.freeze)

    @property
    def is_onnx(self) -> bool:
        """Whether the model is an ONNX file: it is compressed, but not trained."""
        return self.pretrained.uri.endswith(".onnx")
