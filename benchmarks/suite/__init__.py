"""`make bench`: everything measured, and the tables of the pages."""
