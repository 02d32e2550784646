"""Candidates' ONNX files: where the store keeps them, and a local copy."""

from pathlib import Path

from trimtab_jobs.pool.session import Session


def model_key(candidate: str) -> str:
    """Return the key of a candidate's model."""
    return f"candidates/{candidate}/model.onnx"


def local_folder(session: Session, candidate: str) -> Path:
    """Return the worker's own folder for a candidate's files."""
    folder = session.scratch / "candidates" / candidate
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def fetch_model(session: Session, candidate: str) -> Path:
    """Return a fresh local copy of a candidate's model; MissingError when it was never made."""
    path = local_folder(session, candidate) / "model.onnx"
    session.store.get_file(model_key(candidate), path)
    return path


def model_bytes(path: Path) -> int:
    """Return the size of an ONNX file and of the external data beside it."""
    return sum(part.stat().st_size for part in path.parent.glob(f"{path.name}*"))
