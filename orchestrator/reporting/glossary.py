"""The glossary of the pages: each word explained once, for all readers."""

GLOSSARY = {
    "slot": "A short part of the day, such as 10 minutes or an hour, for which demand is counted.",
    "plan": "One way in which a household could use electricity over all slots. Each household has "
    "several and prefers some to others.",
    "preferred": "Demand if every household followed the plan that it prefers.",
    "planned": "Demand after stage 1, in which households choose among their plans together.",
    "exchanged": "Demand after stage 2, in which households exchange the values of single slots in "
    "pairs. The sum over all households stays the same.",
    "bound of values": "The state with the least summed squared deviation that redistributing the "
    "same values of each slot among the households could reach. It may make some of them lose, so "
    "the exchange rarely reaches it.",
    "bound of amounts": "The state after an equal shift: everybody has what it prefers plus an "
    "equal share of the rest. No schedules with the same sum have less mean discomfort. It needs "
    "loads that can be divided at will.",
    "peak": "The largest demand of any slot.",
    "inefficiency": "The cost that all households together try to lower. The cost var is the "
    "variance of demand: 0 if demand is the same in every slot.",
    "discomfort": "How far a household's schedule is from its preferred plan: the root of the mean "
    "squared difference over all slots (RMSE), in kWh.",
    "discomfort removed": "The part of the mean discomfort after stage 1 that is gone after stage "
    "2. It does not depend on how much electricity the households use.",
    "comfort": "1 minus discomfort in kWh: 1 if everything is as preferred. It falls below 0 if "
    "slots differ by more than 1 kWh.",
    "unfairness": "The standard deviation of discomfort over the households, in kWh: 0 if all bear "
    "the same.",
    "Gini": "How unequally discomfort is shared, whatever its amount: 0 if all bear the same, near "
    "1 if one household bears all. It rises if the discomfort of some vanishes.",
    "Jain": "How equally discomfort is shared: 1 if all bear the same, near 0 if one household "
    "bears all.",
    "worse off": "With more discomfort after the exchange than before it.",
    "level": "The distance from the root of the tree in which households are arranged for stage 1; "
    "the root has level 1.",
    "beta": "How much a household weighs its own discomfort in stage 1: 0 not at all, 1 nothing "
    "else.",
    "round": "One pass of stage 2, in which every household looks for partners for its slots.",
}
"""The meaning of each word, for readers who have never heard of the project."""
