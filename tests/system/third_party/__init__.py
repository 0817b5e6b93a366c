"""A household written from docs/protocol.md alone, with nats-py, msgpack and numpy, and without
coflex.

    python -m tests.system.third_party --household h7 --run ID --nats URL --plans agent_7.plans

`--home FILE` in place of `--plans` gives it devices, so that it exchanges amounts (tank_home.py).

It supports the cost `var`, the discomfort `rmse` (with devices also `device`), the rule `mutual`
and a tree without reorganisation. It refuses a run with other terms (`Failure`).
"""
