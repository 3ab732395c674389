"""The commands `genrekit data` and `genrekit train`."""
