"""What the zone does with its tables: enrolments, standings, runs, results."""
