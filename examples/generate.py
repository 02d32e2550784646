"""Writes the ConfigMap at the top of each examples/<name>/job.yaml from the code beside it.

The rest of job.yaml, from the first line `---` on, is written by hand and stays as it is. So does all of one
that names no such ConfigMap: it needs no code, and the modules beside it write its data.
"""

from pathlib import Path

EXAMPLES = Path(__file__).parent
HEADER = "# Generated from {files} by `make crd`: edit the code there.\n"


def main(examples: Path = EXAMPLES) -> None:
    """Bring every example's manifest up to date."""
    for manifest in sorted(examples.glob("*/job.yaml")):
        manifest.write_text(generated(manifest))


def generated(manifest: Path) -> str:
    """Return what the manifest should read, given the code beside it."""
    text = manifest.read_text()
    if not needs_code(manifest):
        return text
    _, _, job = text.partition("---\n")
    return f"{config_map(manifest.parent)}---\n{job}"


def needs_code(manifest: Path) -> bool:
    """Return whether the job takes its code from the ConfigMap above it."""
    _, _, job = manifest.read_text().partition("kind: OptimizationJob\n")
    return f"configMap: {manifest.parent.name}-code" in job


def config_map(example: Path) -> str:
    """Return a ConfigMap called <example>-code that holds the example's modules."""
    modules = sorted(example.glob("*.py"))
    lines = [
        HEADER.format(files=", ".join(module.name for module in modules)),
        f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {example.name}-code\ndata:\n",
        *(f"  {module.name}: |\n{indented(module.read_text())}" for module in modules),
    ]
    return "".join(lines)


def indented(text: str) -> str:
    """Return the text as the body of a YAML block scalar; empty lines stay empty."""
    return "".join(f"    {line}" if line.strip() else line for line in text.splitlines(keepends=True))


if __name__ == "__main__":
    main()
