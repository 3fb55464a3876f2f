"""Private core: networks, samplers, and the engine that trains the networks."""
