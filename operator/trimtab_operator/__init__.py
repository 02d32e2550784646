"""The operator: turns OptimizationJob resources into Ray jobs and writes back what came of them."""
