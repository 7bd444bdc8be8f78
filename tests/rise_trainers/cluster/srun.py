"""A stand-in for srun: starts a command as several tasks with the variables of a Slurm job step.

    python -m tests.rise_trainers.cluster.srun TASKS COMMAND...

All tasks run on this machine. As srun does with --kill-on-bad-exit, it ends all tasks when one fails.
"""

import os
import subprocess
import sys
import time


def main(tasks: int, command: list[str]) -> int:
    """Run the command; return the highest exit code of the tasks."""
    job = {
        "SLURM_JOB_ID": str(os.getpid()),
        "SLURM_STEP_ID": "0",
        "SLURM_NTASKS": str(tasks),
        "SLURM_STEP_NUM_TASKS": str(tasks),
        "SLURM_STEP_TASKS_PER_NODE": str(tasks),
        "SLURM_NODELIST": "localhost",
        "SLURM_STEP_NODELIST": "localhost",
        "SLURM_NODEID": "0",
    }
    processes = [
        subprocess.Popen(
            command, env={**os.environ, **job, "SLURM_PROCID": str(task), "SLURM_LOCALID": str(task)}
        )
        for task in range(tasks)
    ]
    while any(process.poll() is None for process in processes):
        time.sleep(0.05)
        if any(process.poll() for process in processes):
            for process in processes:
                process.terminate()
    return max(abs(process.wait()) for process in processes)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
