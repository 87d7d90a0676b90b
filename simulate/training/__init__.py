"""Training: the driver of an integrator, events on the way, what is saved at times fixed beforehand, precision."""
