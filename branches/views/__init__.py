"""Pages about branches and rosters."""
