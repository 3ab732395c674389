"""Every system of the student report, rebuilt."""
