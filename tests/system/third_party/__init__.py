"""A household written from docs/protocol.md alone, with nats-py, msgpack and numpy, and without
coflex.

    python -m tests.system.third_party --household h7 --run ID --nats URL --plans agent_7.plans

It supports the cost `var`, the discomfort `rmse`, the rule `mutual` and a tree without
reorganisation. It refuses a run with other terms (`Failure`).
"""
