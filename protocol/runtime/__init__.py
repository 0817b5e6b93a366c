"""What runs machines: envelopes in and out of frames, timers, and the one place with asyncio."""
