"""The outcomes of the trial as computations: tables of cells that name whom they rest on (`endpoints.md`)."""
