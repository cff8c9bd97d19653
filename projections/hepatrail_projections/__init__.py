"""The read side: pure folds, one file a table, projector, rebuild."""
