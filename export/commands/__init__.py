"""The commands `genrekit export` and `genrekit compress`."""
