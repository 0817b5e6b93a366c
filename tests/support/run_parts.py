"""The processes of a run."""

from tests.support.waiting import children_of, command_of


def parts_of(run: int) -> dict[str, list[int]]:
    """Return the process ids of the hosts and the matchmakers of a run in this process."""
    parts: dict[str, list[int]] = {"host": [], "matchmaker": []}
    for pid in sorted(children_of(run)):
        if "main() matchmaker" in command_of(pid):
            parts["matchmaker"].append(pid)
        elif "nats-server" not in command_of(pid):
            parts["host"].append(pid)
    return parts
