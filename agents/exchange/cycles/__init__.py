"""Stage 2 under the rule `ttc`: top trading cycles by slot.

cycle_exchange.py  one household's part: the values it enters, its trades, and when they are made
pool_client.py     the conversation with one matchmaker
trade_balance.py   whether all trades together only pass values on
"""
