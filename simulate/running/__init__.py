"""Campaigns into stores: tasks in processes or on a cluster, sub-batches where memory runs out."""
