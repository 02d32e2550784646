"""The driver and its workers: search, compression, export, measurement and the guardrail."""
