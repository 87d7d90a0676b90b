"""Observers: every file here declares variables of the store and fills them (`simulate.measure.observer`)."""
