"""Attendance: who came to which session of the programme, from logs and rosters."""
