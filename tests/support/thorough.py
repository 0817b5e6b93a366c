"""The tests that `make test` leaves to `make test-thorough`, which CI runs as well: they take long,
and try once more, in another variant or at another moment, what a test of `make test` tries.

Names are as pytest prints them; without brackets, all cases of a test are meant.
"""

from collections.abc import Mapping

LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "tests/agents/exchange/bundles/test_bundles.py": (
        "test_real_households_come_as_far_as_promised[mutual-4-0.5-0.914-0.03-30000]",
        "test_real_households_come_as_far_as_promised[mutual-0-0.5-0.9-0.03-40000]",
        "test_real_households_come_as_far_as_promised[cooperative-1-0.1-0.922-0.01-60000]",
    ),
    "tests/agents/exchange/test_exchange.py": (
        "test_real_households_come_as_far_as_promised[mutual-household-0.08-0.65]",
        "test_real_households_come_as_far_as_promised[cooperative-slot-0.119-0.97]",
    ),
    "tests/documents/test_manipulation_page.py": ("test_the_commands_work",),
    "tests/documents/test_notebooks.py": (
        "test_notebooks_give_the_outputs_that_they_show[sweep.ipynb]",
    ),
    "tests/documents/test_readme.py": ("test_the_commands_work_in_the_order_shown",),
    "tests/orchestrator/experiments/test_sweep_bus.py": (
        "test_the_table_is_the_same_as_in_simulation",
        "test_an_interrupted_sweep_leaves_no_process_and_can_be_finished[2]",
        "test_an_interrupted_sweep_leaves_no_process_and_can_be_finished[15]",
    ),
    "tests/orchestrator/validation/test_conformance.py": (
        "test_every_fault_is_found",
        "test_each_check_of_stage_2_is_failed_by_some_household",
        "test_each_check_names_its_section",
    ),
    "tests/system/test_amount_run.py": (
        "test_whatever_is_killed_every_home_can_follow_what_it_holds[process]",
    ),
    "tests/system/test_bundle_run.py": (
        "test_whatever_is_killed_the_values_only_change_hands[0]",
        "test_whatever_is_killed_the_values_only_change_hands[2]",
        "test_single_slots_under_a_cap_end_soon_and_come_less_far",
    ),
    "tests/system/test_cluster.py": (
        "test_a_run_over_a_cluster_with_leaf_nodes[RunPhase.PLANNING]",
        "test_a_run_over_a_cluster_with_leaf_nodes[RunPhase.EXCHANGING]",
    ),
    "tests/system/test_exchange_run.py": (
        "test_values_are_only_swapped_whatever_is_killed_in_stage_2[mutual-process]",
        "test_values_are_only_swapped_whatever_is_killed_in_stage_2[mutual-subtree]",
        "test_values_are_only_swapped_whatever_is_killed_in_stage_2[cooperative-process]",
        "test_values_are_only_swapped_whatever_is_killed_in_stage_2[cooperative-task]",
        "test_values_are_only_swapped_whatever_is_killed_in_stage_2[mutual-task]",
    ),
    "tests/system/test_loop_run.py": (
        "test_whatever_is_killed_the_run_goes_on_in_its_loop[0]",
        "test_whatever_is_killed_the_run_goes_on_in_its_loop[2]",
    ),
    "tests/system/test_network.py": (
        "test_a_link_that_is_cut_and_restored_changes_nothing[planning]",
        "test_a_link_that_is_cut_and_restored_changes_nothing[slots]",
    ),
    "tests/system/test_suspension.py": ("test_a_suspended_run_continues[at the start]",),
    "tests/system/test_third_party.py": (
        "test_third_parties_exchange_bundles[names0-0]",
        "test_third_parties_exchange_bundles[names0-1]",
        "test_third_parties_exchange_bundles[names0-2]",
        "test_third_parties_exchange_bundles[names1-2]",
    ),
}
"""Names of tests by file."""
