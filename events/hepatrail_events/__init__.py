"""What can happen: the facts of the trial, their envelope and their codec."""
