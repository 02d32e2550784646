"""From a model to numbers, nothing else: quality, speed, size, memory, parity, and the hardware."""
