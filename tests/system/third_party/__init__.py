"""A household written from docs/protocol.md alone: nats-py, msgpack, numpy, and nothing of coflex.

    python -m tests.system.third_party --household h7 --run ID --nats URL --plans agent_7.plans

It knows the cost `var`, the discomfort `rmse`, the rule `mutual` and a tree that stays as it is; it
says so (`Failure`) when a run wants something else.
"""
