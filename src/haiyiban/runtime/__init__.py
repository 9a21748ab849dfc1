"""How the platform runs: embedded servers, processes, app factory, worker. Zones may not import it."""
