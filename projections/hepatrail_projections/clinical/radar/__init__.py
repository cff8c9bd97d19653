"""The missed-SAE radar: where something serious seems unflagged. Detectors that point at facts and judge nothing."""
