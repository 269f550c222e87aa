"""The console command `fastremap` (not written yet)."""
