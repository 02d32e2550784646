"""What a hostile tenant tries from inside a pod, and what came of each attempt: the user's code of a job.

`python3 -c "$(cat hostile.py)" pod '{"open": ["10.0.0.7", 6379]}'` tries the part that needs nothing but
Python. An attempt that worked says `done`; the others say who refused it: an HTTP status, or an errno.
"""

import ctypes
import errno
import json
import os
import socket
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

NOTES = Path(os.environ.get("TRIMTAB_TEST_NOTES", ""))
TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"
HEAD = "node:__internal_head__"
"""Ray's name of what only the head's node has."""
TIMEOUT_SECONDS = 3
NEW_USERS = 0x10000000
PATCH = "application/merge-patch+json"
Outcomes = dict[str, str]


def outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except urllib.error.HTTPError as error:
        return str(error.code)
    except TimeoutError:
        return "silence"
    except OSError as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(reason, TimeoutError):
            return "silence"
        return errno.errorcode.get(getattr(reason, "errno", None) or 0, str(error))
    except Exception as error:
        return "denied" if "access denied" in str(error).lower() else str(error)
    return "done"


def outcomes(attempts: Mapping[str, Callable[[], object]]) -> Outcomes:
    """Of all attempts, made at the same time."""
    with ThreadPoolExecutor(len(attempts)) as pool:
        return dict(zip(attempts, pool.map(outcome, attempts.values()), strict=True))


def reach(address: str, port: int) -> None:
    socket.create_connection((address, port), TIMEOUT_SECONDS).close()


def ask(url: str, method: str = "GET", body: Any = None, token: str | None = None) -> None:
    """Send a request to a server of any name; HTTPError unless it is answered well."""
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    headers = {"Content-Type": PATCH if method == "PATCH" else "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, headers, method=method)
    direct = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
    )
    direct.open(request, timeout=TIMEOUT_SECONDS).close()


def api(path: str, method: str = "GET", body: Any = None, token: str | None = None) -> None:
    """Send a request to the API server, which every pod is told the address of."""
    ask(f"https://{os.environ['KUBERNETES_SERVICE_HOST']}{path}", method, body, token)


def write(path: str) -> None:
    Path(path, "hostile").write_text("was here")


def call(name: str, *arguments: object) -> None:
    """Make a system call by its name in C; OSError when it is refused."""
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)


def escapes(node: str) -> Outcomes:
    """Ways out of the container: to root, to the node, to what is mounted."""
    places = ["/", "/etc", "/opt/venv", "/opt/packages", "/trimtab/code"]
    ways: dict[str, Callable[[], object]] = {
        **{f"write {place}": lambda place=place: write(place) for place in places},
        "limits of its own": lambda: os.mkdir("/sys/fs/cgroup/hostile"),
        "setting of the kernel": lambda: os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY),
        "setuid 0": lambda: os.setuid(0),
        "chroot": lambda: os.chroot("/tmp"),
        "mount": lambda: call("mount", b"tmpfs", b"/tmp", b"tmpfs", 0, None),
        "new user namespace": lambda: call("unshare", NEW_USERS),
        "device of memory": lambda: os.mknod("/tmp/mem", 0o20600, os.makedev(1, 1)),
        "kubelet": lambda: ask(f"https://{node}:10250/pods"),
        "kubelet, read-only port": lambda: reach(node, 10255),
        "containerd": lambda: socket.socket(socket.AF_UNIX).connect("/run/containerd/containerd.sock"),
    }
    return outcomes(ways)


def rights() -> dict[str, str]:
    """What the kernel says of this process."""
    lines = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {name: lines[name].split("\t")[0] for name in ("Uid", "CapEff", "NoNewPrivs", "Seccomp")}


def requests(own: str, other: str, job: str, token: str | None) -> Outcomes:
    """What the API server does for a token, or for none: in the job's own namespace and in another one."""
    core, ours = "/api/v1/namespaces", f"/api/v1/namespaces/{own}"
    here = f"{ours}/configmaps"
    pod = {"metadata": {"name": "hostile"}, "spec": {"containers": [{"name": "a", "image": "b"}]}}
    binding = {
        "metadata": {"name": "hostile"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": f"{job}-driver", "namespace": own}],
    }
    roles = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{own}"
    note = {"data": {"hostile": "was here"}}
    tried: dict[str, tuple[Any, ...]] = {
        "get own report": (f"{here}/{job}-report",),
        "patch own report": (f"{here}/{job}-report", "PATCH", note),
        "get own plan": (f"{here}/{job}-plan",),
        "patch own plan": (f"{here}/{job}-plan", "PATCH", note),
        "delete own report": (f"{here}/{job}-report", "DELETE"),
        "list ConfigMaps": (here,),
        "get another job's report": (f"{here}/other-report",),
        "patch another job's report": (f"{here}/other-report", "PATCH", note),
        "list Secrets": (f"{ours}/secrets",),
        "create a pod": (f"{ours}/pods", "POST", pod),
        "make a token": (f"{ours}/serviceaccounts/default/token", "POST", {"spec": {}}),
        "become cluster-admin": (f"{roles}/rolebindings", "POST", binding),
        "change own role": (f"{roles}/roles/{job}-driver", "PATCH", {"rules": []}),
        "open own network": (
            f"/apis/networking.k8s.io/v1/namespaces/{own}/networkpolicies/{job}-ray",
            "DELETE",
        ),
        "change own job": (
            f"/apis/trimtab.io/v1alpha1/namespaces/{own}/optimizationjobs/{job}",
            "PATCH",
            {"spec": {"search": {"trials": 999}}},
        ),
        "list another team's ConfigMaps": (f"{core}/{other}/configmaps",),
        "list another team's Secrets": (f"{core}/{other}/secrets",),
        "list another team's pods": (f"{core}/{other}/pods",),
        "patch another team's ConfigMap": (f"{core}/{other}/configmaps/notes", "PATCH", note),
        "list profiles": ("/apis/trimtab.io/v1alpha1/optimizationprofiles",),
        "list nodes": ("/api/v1/nodes",),
    }
    return {name: outcome(lambda each=each: api(*each, token=token)) for name, each in tried.items()}


def stolen_token() -> str:
    """The driver's token, read by a task that Ray runs beside it: a Ray cluster is one trust domain."""
    import ray

    def read(path: str) -> str:
        with open(path) as file:
            return file.read()

    beside_driver = ray.remote(read).options(num_cpus=0, resources={HEAD: 0.001})
    return str(ray.get(beside_driver.remote(TOKEN), timeout=60))


def stores(bucket: str, own: str, other: str) -> Outcomes:
    """Reading and writing with the team's credentials, where they are for and where they are not."""
    from trimtab_jobs.store import open_store

    kept = open_store(f"s3://{bucket}/{own}/hostile")
    theirs, everything = open_store(f"s3://{bucket}/{other}"), open_store(f"s3://{bucket}")
    return outcomes(
        {
            "write below the own prefix": lambda: kept.put("hostile", b"was here"),
            "write below another team's prefix": lambda: theirs.put("hostile", b"was here"),
            "read below another team's prefix": lambda: theirs.get("secret"),
            "write beside all prefixes": lambda: everything.put("hostile", b"was here"),
        }
    )


def cluster_ports() -> dict[str, tuple[str, int]]:
    """Where the own Ray cluster listens, by what for."""
    import ray

    (head,) = (node for node in ray.nodes() if HEAD in node["Resources"])
    (worker,) = (node for node in ray.nodes() if HEAD not in node["Resources"])
    address = head["NodeManagerAddress"]
    return {
        "GCS": (address, 6379),
        "dashboard": (address, 8265),
        "raylet of the head": (address, head["NodeManagerPort"]),
        "raylet of a worker": (worker["NodeManagerAddress"], worker["NodeManagerPort"]),
    }


def objective(
    params: Mapping[str, Any], context: Any, node: str, bucket: str, own: str, other: str
) -> dict[str, float]:
    """Try everything, note what came of it, and stay until the file `go` is there."""
    ports = cluster_ports()
    found = {
        "token": outcome(lambda: Path(TOKEN).read_text()),
        "rights": rights(),
        "escapes": escapes(node),
        "without a token": requests(own, other, "hostile", None),
        "with the driver's token": requests(own, other, "hostile", stolen_token()),
        "store": stores(bucket, own, other),
        "ports": ports,
        "own cluster": outcomes({name: lambda place=place: reach(*place) for name, place in ports.items()}),
        "dashboard without its token": outcome(lambda: ask(f"http://{ports['dashboard'][0]}:8265/api/jobs/")),
    }
    (NOTES / "draft").write_text(json.dumps(found))
    (NOTES / "draft").rename(NOTES / "found.json")
    while not (NOTES / "go").exists():
        time.sleep(0.1)
    return {"accuracy": 1.0}


def from_a_pod(ports: Mapping[str, tuple[str, int]]) -> Outcomes:
    """Reaching somebody else's Ray cluster."""
    return outcomes({name: lambda place=place: reach(*place) for name, place in ports.items()})


if __name__ == "__main__":
    print(json.dumps(from_a_pod(json.loads(sys.argv[1]))))
