"""The files that a node's programs are configured by."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.network import BRIDGE
from tests.cluster.pause import PAUSE

PLUGINS = "/usr/lib/cni"
HEALTH_PORT, DNS_HEALTH_PORT = 10248, 8181
PROXY_HEALTH_PORT = 10256


@dataclass(frozen=True, slots=True)
class Beat:
    """How often a node gives a sign of life, and for how long it holds, in seconds."""

    every: int = 10
    lease: int = 40


SLOW, FAST = Beat(), Beat(1, 4)
"""Kubernetes' own pace, and one at which the loss of a node is noticed after 8 s."""


def containerd(networks: Path) -> str:
    """containerd.toml; `networks` is the folder of the pods' network."""
    return f"""\
version = 2
disabled_plugins = ["io.containerd.internal.v1.opt"]

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  restrict_oom_score_adj = true # without CAP_SYS_RESOURCE no process may lower its score

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{PLUGINS}"
    conf_dir = "{networks}"
"""


def pod_network(first: str, last: str, gateway: str) -> str:
    """The network plugins' file: pods on the bridge with addresses of a range."""
    subnet = f"{gateway.rsplit('.', 1)[0]}.0/24"
    addresses = {"subnet": subnet, "rangeStart": first, "rangeEnd": last, "gateway": gateway}
    bridge = {
        "type": "bridge",
        "bridge": BRIDGE,
        "isGateway": True,
        "hairpinMode": True,  # a pod reaches itself through its Service
        "ipam": {"type": "host-local", "ranges": [[addresses]], "routes": [{"dst": "0.0.0.0/0"}]},
    }
    return json.dumps({"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge]}, indent=2) + "\n"


def kubelet(address: str, dns: str, group: str, trusted: Path, beat: Beat) -> str:
    """kubelet.yaml; `trusted` signs the certificate by which the API server shows itself to the kubelet."""
    return rendered(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": address,
            "healthzBindAddress": address,
            "healthzPort": HEALTH_PORT,
            "authentication": {"anonymous": {"enabled": False}, "x509": {"clientCAFile": str(trusted)}},
            "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": group,
            "failCgroupV1": False,
            "failSwapOn": False,
            # tolerates what needs CAP_SYS_RESOURCE, and settings of this machine that it may not change
            "featureGates": {"KubeletInUserNamespace": True},
            "clusterDomain": "cluster.local",
            "clusterDNS": [dns],
            "resolvConf": "",  # pods look up names of the cluster only
            "nodeStatusUpdateFrequency": f"{beat.every}s",
            "nodeLeaseDurationSeconds": beat.lease,
            # an image that is collected could not be pulled again
            "imageGCHighThresholdPercent": 100,
            "imageGCLowThresholdPercent": 99,
            "evictionHard": {
                "memory.available": "100Mi",
                "nodefs.available": "1%",
                "nodefs.inodesFree": "1%",
                "imagefs.available": "1%",
            },
        }
    )


def kube_proxy(kubeconfig: Path, node: str, gateway: str) -> str:
    """kube-proxy.yaml: one for all nodes, as they share a network."""
    return rendered(
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "clientConnection": {"kubeconfig": str(kubeconfig)},
            "hostnameOverride": node,
            "bindAddress": gateway,
            "healthzBindAddress": f"{gateway}:{PROXY_HEALTH_PORT}",
            "metricsBindAddress": f"{gateway}:10249",
            "clusterCIDR": f"{gateway.rsplit('.', 1)[0]}.0/24",
            # answers return through the node even where both pods share the bridge
            "iptables": {"masqueradeAll": True, "minSyncPeriod": "0s", "localhostNodePorts": False},
            # the machine's settings stay as they are
            "conntrack": {
                "maxPerCore": 0,
                "min": 0,
                "tcpEstablishedTimeout": "0s",
                "tcpCloseWaitTimeout": "0s",
            },
        }
    )


def core_dns(kubeconfig: Path, address: str) -> str:
    """Corefile: names of the cluster, and nothing else."""
    return f"""\
cluster.local:53 in-addr.arpa:53 {{
    bind {address}
    errors
    ready {address}:{DNS_HEALTH_PORT}
    kubernetes cluster.local in-addr.arpa {{
        kubeconfig {kubeconfig}
        ttl 1
    }}
}}
"""


def rendered(document: dict[str, Any]) -> str:
    text: str = yaml.safe_dump(document, sort_keys=False)
    return text
