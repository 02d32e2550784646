"""The entrypoint of a bare RayJob: one actor, which imports torch."""

import sys
from typing import Any

import ray


class Actor:
    """It takes what a worker of ours takes."""

    def start(self, name: str, folder: str) -> None:
        sys.path.insert(0, folder)
        from first import note

        note(name)


if __name__ == "__main__":
    ray.init(address="auto")
    placed: Any = ray.remote(Actor)
    actor = placed.options(num_cpus=1, resources={"group-workers": 1}).remote()
    ray.get(actor.start.remote(sys.argv[1], "/trimtab/code"))
