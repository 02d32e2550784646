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
        Cell(_breakable(artifact.uri), wide=True),
        Cell(artifact.sha256, wide=True, tone="mono"),
    ]


def _breakable(uri: str) -> Html:
    """The address, which breaks after its slashes."""
    parts = [f"{part}/" for part in uri.split("/")[:-1]]
    return join([*(each for part in parts for each in (part, element("wbr"))), uri.rpartition("/")[2]])


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
        "Plan, SHA-256": report.plan_digest,
        "Code, SHA-256": seen.code_sha256,
        "Model, SHA-256": next(
            (each.sha256 for each in report.artifacts if each.name.endswith(".onnx")), None
        ),
        "Image": seen.image,
        "Processor": seen.cpu,
        "Time taken": None if report.cost.seconds is None else figures.duration(report.cost.seconds),
        "Versions": ", ".join(
            figures.brief(f"{name} {version}", figures.LONGEST_VALUE)
            for name, version in seen.versions.items()
        ),
    }
    pairs = (join([element("dt", name), element("dd", value)]) for name, value in known.items() if value)
    return element(
        "section",
        element("h2", "How to reproduce"),
        element(
            "p",
            "The same manifest, code and seed on the same versions and kind of processor give the same "
            "trials and the same model. Latency, throughput and memory are measured anew and differ a "
            "little. The manifest with every default filled is plan.json beside this page.",
        ),
        element("pre", "\n".join(commands(report))),
        element("dl", *pairs),
    )


def commands(report: Report) -> list[str]:
    """What to type to run it again, to compare the model, and to make this page anew."""
    version = report.environment.versions.get("trimtab")
    model = next((each for each in report.artifacts if each.name.endswith(".onnx")), None)
    lines = [f'pip install "trimtab[jobs]=={version}"'] if version else []
    lines.append("trimtab run job.yaml --output again")
    if model is not None:
        lines.append(f"sha256sum again/model/{report.name}/1/{model.name}  # {model.sha256}")
    return [*lines, "trimtab report again"]
