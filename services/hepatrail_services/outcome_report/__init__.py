"""The outcomes on paper: figures, one HTML page and CSV files, made from plain tables, the same bytes every time."""
