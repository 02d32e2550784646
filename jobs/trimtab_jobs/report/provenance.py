"""The end of the page: what was published, where it was measured, how to repeat and use it. Pure."""

from trimtab_api.report import Artifact, Report
from trimtab_jobs.report import figures
from trimtab_jobs.report.markup import Html, element, join
from trimtab_jobs.report.tables import Cell, table

USE = """import onnxruntime

session = onnxruntime.InferenceSession("model.onnx")
outputs = session.run(None, {session.get_inputs()[0].name: batch})  # batch: a float32 array of rows"""


def artifacts(report: Report) -> Html | None:
    """The section of published files and how to use the model; nothing when none was published."""
    if not report.artifacts:
        return None
    heads = [
        Cell("file"),
        Cell("size", number=True),
        Cell("opset", number=True),
        Cell("where"),
        Cell("SHA-256"),
    ]
    return element(
        "section",
        element("h2", "Published"),
        table("Files that were published.", heads, [_artifact(each) for each in report.artifacts]),
        element("h3", "Use it"),
        element("pre", USE),
    )


def _artifact(artifact: Artifact) -> list[Cell]:
    return [
        Cell(artifact.name, head=True),
        Cell(_bytes(artifact.bytes), value=float(artifact.bytes), number=True),
        Cell("" if artifact.opset is None else str(artifact.opset), number=True),
        Cell(artifact.uri, wide=True),
        Cell(artifact.sha256, wide=True, tone="mono"),
    ]


def _bytes(count: int) -> str:
    """A size in the decimal units of sizeMB."""
    if count < 1000:
        return f"{count} B"
    return f"{figures.number(count / 1e3)} kB" if count < 1e6 else f"{figures.number(count / 1e6)} MB"


def reproduction(report: Report) -> Html:
    """The section on where the run took place and how to do it again."""
    seen = report.environment
    known = {
        "Seed": None if report.seed is None else str(report.seed),
        "Processor": seen.cpu,
        "Image": seen.image,
        "Code, SHA-256": seen.code_sha256,
        "Plan, SHA-256": report.plan_digest,
        "Time taken": None if report.cost.seconds is None else figures.duration(report.cost.seconds),
        "Versions": ", ".join(f"{name} {version}" for name, version in seen.versions.items()),
    }
    pairs = (join([element("dt", name), element("dd", value)]) for name, value in known.items() if value)
    return element(
        "section",
        element("h2", "How to reproduce"),
        element(
            "p",
            "The same manifest, code and seed on the same versions give the same trials and the same model.",
        ),
        element("pre", "trimtab run job.yaml --output somewhere-new"),
        element("dl", *pairs),
    )
