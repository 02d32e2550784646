"""The driver's way to the API server: two ConfigMaps, one to read and one to patch.

The token is read from its file for each request: the kubelet renews it while a run goes on.
"""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from trimtab_jobs.settings import Settings

MERGE_PATCH = "application/merge-patch+json"
TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_REFUSED_CONTENT = (400, 413, 415, 422)


class ApiError(Exception):
    """The API server did not do what was asked; says what it answered, if it did."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        """Its HTTP status; None: no answer."""

    @property
    def is_final(self) -> bool:
        """Whether the same request would be refused again, whatever time passes."""
        return self.code in _REFUSED_CONTENT


class ConfigMaps:
    """The ConfigMaps of one namespace, for the service account of this pod."""

    def __init__(self, client: httpx.Client, namespace: str, token_file: Path) -> None:
        self._client = client
        self._folder = f"/api/v1/namespaces/{namespace}/configmaps"
        self._token_file = token_file

    @classmethod
    def of(cls, settings: Settings) -> "ConfigMaps":
        """The ConfigMaps where the settings say; ApiError when the server's certificate cannot be read."""
        try:
            trust = ssl.create_default_context(cafile=str(settings.ca_file))
        except OSError as error:
            raise ApiError(f"{settings.ca_file}: {error.strerror or error}; set TRIMTAB_CA_FILE") from None
        # Proxies of the environment are for the user's downloads, never for the cluster's own address.
        client = httpx.Client(base_url=settings.server, verify=trust, timeout=TIMEOUT, trust_env=False)
        return cls(client, settings.namespace, settings.token_file)

    def read(self, name: str) -> Mapping[str, str]:
        """The data of a ConfigMap."""
        return self._send("GET", name).get("data") or {}

    def patch(self, name: str, data: Mapping[str, str]) -> None:
        """Set keys of a ConfigMap that is there; its other keys stay."""
        self._send("PATCH", name, json={"data": dict(data)}, content_type=MERGE_PATCH)

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def _send(
        self, method: str, name: str, json: Any = None, content_type: str | None = None
    ) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token()}"}
        if content_type:
            headers["Content-Type"] = content_type
        what = f"{method} ConfigMap {name}"
        try:
            answer = self._client.request(method, f"{self._folder}/{name}", json=json, headers=headers)
            found = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ApiError(f"{what}: {type(error).__name__}: {error}") from None
        if answer.is_success and isinstance(found, dict):
            return found
        said = found.get("message", "") if isinstance(found, dict) else ""
        raise ApiError(f"{what}: {answer.status_code} {said}".rstrip(), answer.status_code)

    def _token(self) -> str:
        try:
            return self._token_file.read_text().strip()
        except OSError as error:
            raise ApiError(f"{self._token_file}: {error.strerror}; set TRIMTAB_TOKEN_FILE") from None
