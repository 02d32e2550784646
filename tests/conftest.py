"""What every tier shares: the servers' fixtures, and the minutes that each tier took."""

pytest_plugins = ["tests.support.s3"]
