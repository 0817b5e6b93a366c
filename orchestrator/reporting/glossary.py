"""The words of the pages, each explained once. Decides what a reader is told that a word means."""

GLOSSARY = {
    "slot": "A short stretch of the day, such as 10 minutes or an hour; demand is counted in each.",
    "plan": "One way in which a household could use electricity over all slots. Each household has "
    "several and likes some more than others.",
    "preferred": "Demand if every household followed the plan that it likes best.",
    "planned": "Demand after stage 1, in which households choose among their plans together.",
    "exchanged": "Demand after stage 2, in which households exchange the values of single slots in "
    "pairs. The sum over all households stays the same.",
    "bound of values": "The least discomfort that anybody could reach by handing the same values "
    "of each slot out again among the households. It need not be fair to each of them, so the "
    "exchange rarely reaches it.",
    "peak": "The largest demand of any slot.",
    "inefficiency": "The cost that all households together try to lower. The cost var is the "
    "variance of demand: 0 where demand is the same in every slot.",
    "discomfort": "How far a household's schedule is from its preferred plan: the root of the mean "
    "squared difference over all slots (RMSE), in kWh.",
    "discomfort removed": "The part of the mean discomfort after stage 1 that is gone after stage "
    "2. It does not depend on how much electricity the households use.",
    "comfort": "1 minus discomfort in kWh: 1 if everything is as preferred. It falls below 0 where "
    "slots differ by more than 1 kWh.",
    "unfairness": "The standard deviation of discomfort over the households, in kWh: 0 if all bear "
    "the same.",
    "Gini": "How unequally discomfort is shared, whatever its amount: 0 if all bear the same, near "
    "1 if one household bears all. It rises if the discomfort of some vanishes.",
    "Jain": "How equally discomfort is shared: 1 if all bear the same, near 0 if one household "
    "bears all.",
    "worse off": "Has more discomfort after the exchange than before it.",
    "level": "The distance from the root of the tree in which households are arranged for stage 1; "
    "the root has level 1.",
    "beta": "How much a household weighs its own discomfort in stage 1: 0 not at all, 1 nothing "
    "else.",
    "round": "One pass of stage 2, in which every household asks for partners for its slots.",
}
"""Word: its meaning for somebody who has never heard of the project."""
