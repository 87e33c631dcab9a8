"""TCP connections with a hard deadline, and whether a port accepts one."""
