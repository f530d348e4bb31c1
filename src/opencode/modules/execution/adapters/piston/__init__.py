"""Programs that are run by other servers, which speak the Piston API: stock Piston, or another OpenCode."""
