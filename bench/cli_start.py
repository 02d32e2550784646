"""How long `trimtab --help` takes: the installed command against a bare `import click`.

Each is started RUNS times, one after the other in turn, so that a busy moment hits both; the median counts.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

GOAL_MS = 150
RUNS = 20
COMMANDS = {
    "trimtab --help": [str(Path(sys.executable).with_name("trimtab")), "--help"],
    "python -c 'import click'": [sys.executable, "-c", "import click"],
    "python -c pass": [sys.executable, "-c", "pass"],
}


def milliseconds(command: list[str]) -> float:
    """The time of one run of the command."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - started) * 1000


def main() -> None:
    """Measure, print the table, and the result as JSON in the last line."""
    for command in COMMANDS.values():
        milliseconds(command)  # the first run compiles and fills the file cache
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(RUNS):
        for name, command in COMMANDS.items():
            times[name].append(milliseconds(command))
    medians = {name: round(statistics.median(each), 1) for name, each in times.items()}
    for name, each in times.items():
        print(f"{name:<26} median {medians[name]:6.1f} ms, {min(each):6.1f} to {max(each):6.1f} ms")
    ours = medians["trimtab --help"]
    result = {
        "claim": f"trimtab --help answers within {GOAL_MS} ms",
        "ours": {"median_ms": ours},
        "peers": {},
        "limits": {name: {"median_ms": medians[name]} for name in list(COMMANDS)[1:]},
        "ratio": round(GOAL_MS / ours, 2),
        "goal": 1.0,
        "met": ours <= GOAL_MS,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
