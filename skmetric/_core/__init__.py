"""The private core: networks, samplers and the engine that trains them."""
