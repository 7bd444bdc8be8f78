"""The devices and machines of a fit, and worlds: processes that torchrun or srun started together."""
