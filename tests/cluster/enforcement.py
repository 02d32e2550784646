"""python -m tests.cluster.enforcement KUBECONFIG RULES HOST DNS: enforces network policies where it runs.

It lists pods, namespaces and policies a few times a second, which costs half a percent of a core, and
replaces its table of rules whole whenever they change; RULES is where it leaves them to be looked at. What
is connected stays so, and a pod is open to all until its address is reported.
"""

import http.client
import json
import ssl
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path
from typing import Any

from tests.cluster.policies import World, ruleset

LISTS = {
    "pods": "/api/v1/pods",
    "namespaces": "/api/v1/namespaces",
    "policies": "/apis/networking.k8s.io/v1/networkpolicies",
}
INTERVAL_SECONDS = 0.3


def main() -> None:
    kubeconfig, rules, host, dns = Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]
    server = Server(json.loads(kubeconfig.read_text()))
    before = ""
    while True:
        try:
            world = World(host, dns, **{name: server.items(path) for name, path in LISTS.items()})
            if (now := ruleset(world)) != before:
                enforce(now, rules)
                before = now
        except (OSError, http.client.HTTPException, subprocess.CalledProcessError) as error:
            server.connection.close()
            print(f"{type(error).__name__}: {error}", flush=True)
        time.sleep(INTERVAL_SECONDS)


class Server:
    """The API server that a kubeconfig names, over one connection."""

    def __init__(self, kubeconfig: dict[str, Any]) -> None:
        cluster, user = kubeconfig["clusters"][0]["cluster"], kubeconfig["users"][0]["user"]
        self.connection = http.client.HTTPSConnection(
            urllib.parse.urlsplit(cluster["server"]).netloc,
            context=ssl.create_default_context(cafile=cluster["certificate-authority"]),
            timeout=10,
        )
        self.headers = {"Authorization": f"Bearer {user['token']}"}

    def items(self, path: str) -> list[dict[str, Any]]:
        """The objects of a list, as the server's cache has them."""
        self.connection.request("GET", f"{path}?resourceVersion=0", headers=self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != http.client.OK:
            raise OSError(f"{path}: {answer.status} {body[:200]!r}")
        found: list[dict[str, Any]] = json.loads(body)["items"]
        return found


def enforce(ruleset: str, rules: Path) -> None:
    """Replace the table by these rules, in one step."""
    subprocess.run(["nft", "-f", "-"], input=ruleset, text=True, check=True)
    rules.write_text(ruleset)


if __name__ == "__main__":
    main()
