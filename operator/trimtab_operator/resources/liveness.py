"""The head's liveness probe: whether Ray answers there, and whether its driver, while there is one, goes on.

KubeRay gives a container without a probe one of its own, which asks Ray; ours asks the same, with the same
patience, as a container has but one. A head without a driver, or whose driver has ended, is alive.
"""

from trimtab_operator.resources.parts import Json

SIGNS = "/tmp/trimtab-driver"
"""File of the driver's signs of life: its text is the driver's process, its date until when silence means
nothing."""
_PERIOD_SECONDS = 15
_FAILURES = 2
_RAY_PATIENCE_SECONDS = 600
_GRACE_SECONDS = 10
"""How long the head has to end by itself: nothing of a driver that hangs is left to be saved."""
_SCRIPT = """
late() { [ -f "$1" ] && [ $(( $(date +%s) - $(stat -c %Y "$1") )) -gt "$2" ]; }
fail() { echo "$1"; echo "$1" > /dev/termination-log; exit 1; }
ask() {
  exec 3<> /dev/tcp/127.0.0.1/52365 && printf 'GET /api/local_raylet_healthz HTTP/1.0\\r\\n\\r\\n' >&3 &&
  read -r -t 4 _ code _ <&3 && [ "$code" = 200 ]
}
(ask) 2> /dev/null && : > ANSWERED
late ANSWERED RAY_SECONDS && fail "Ray has not answered for RAY_SECONDS s"
late SIGNS SILENCE_SECONDS && grep -qs trimtab_jobs "/proc/$(cat SIGNS)/cmdline" &&
  fail "the driver has given no sign of life for SILENCE_SECONDS s"
exit 0
"""


def build_liveness_probe(silence_seconds: int) -> Json:
    """Return the probe, by which a driver is found after this silence and twice the period at most.

    The last line of what it says becomes the container's termination message.
    """
    words = {
        "ANSWERED": "/tmp/trimtab-ray",
        "RAY_SECONDS": str(_RAY_PATIENCE_SECONDS),
        "SILENCE_SECONDS": str(silence_seconds),
        "SIGNS": SIGNS,
    }
    script = _SCRIPT.strip()
    for word, value in words.items():
        script = script.replace(word, value)
    return {
        "exec": {"command": ["bash", "-c", script]},
        "initialDelaySeconds": 30,
        "periodSeconds": _PERIOD_SECONDS,
        "timeoutSeconds": 10,
        "failureThreshold": _FAILURES,
        "terminationGracePeriodSeconds": _GRACE_SECONDS,
    }
