"""A stand-in for srun: starts a command as several tasks with the variables of a Slurm job step.

    python -m tests.rise_trainers.cluster.srun TASKS COMMAND...

TASKS is the number of tasks on each node, such as 2 or 1,1. All nodes are this machine. As srun does with
--kill-on-bad-exit, it ends all tasks when one fails.
"""

import os
import subprocess
import sys
import time


def main(tasks: list[int], command: list[str]) -> int:
    """Run the command; return the highest exit code of the tasks.

    Args:
        tasks: Number of tasks on each node.
        command: The command.
    """
    places = [(node, place) for node, count in enumerate(tasks) for place in range(count)]
    job = {
        "SLURM_JOB_ID": str(os.getpid()),
        "SLURM_STEP_ID": "0",
        "SLURM_NTASKS": str(len(places)),
        "SLURM_STEP_NUM_TASKS": str(len(places)),
        "SLURM_STEP_TASKS_PER_NODE": ",".join(map(str, tasks)),
        "SLURM_NODELIST": "localhost",
        "SLURM_STEP_NODELIST": "localhost",
    }
    processes = []
    for task, (node, place) in enumerate(places):
        own = {"SLURM_PROCID": str(task), "SLURM_LOCALID": str(place), "SLURM_NODEID": str(node)}
        processes.append(subprocess.Popen(command, env={**os.environ, **job, **own}))
    while any(process.poll() is None for process in processes):
        time.sleep(0.05)
        if any(process.poll() for process in processes):
            for process in processes:
                process.terminate()
    return max(abs(process.wait()) for process in processes)


if __name__ == "__main__":
    sys.exit(main([int(count) for count in sys.argv[1].split(",")], sys.argv[2:]))
