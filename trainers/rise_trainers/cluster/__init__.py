"""Private: the devices and machines of a fit, and worlds that torchrun or srun started."""
