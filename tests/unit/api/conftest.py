"""Properties are judged by what they find, not by how long a busy machine takes."""

from hypothesis import HealthCheck, settings

settings.register_profile("api", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
settings.load_profile("api")
