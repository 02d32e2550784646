"""The model that a person brings: fetched, verified, and checked before anything else is done with it."""
