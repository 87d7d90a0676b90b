"""The data sets that have a name: whatever file lies here is found. One is a reader with the decorator `source`."""
