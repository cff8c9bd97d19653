"""Out of the trial: its rows as SDTM-shaped datasets, pure; who asks for them and where they go is the shell's."""
