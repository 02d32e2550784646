"""The language of Trimtab: manifests, plans and reports as frozen pydantic models."""
