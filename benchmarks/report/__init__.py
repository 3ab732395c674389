"""The HTML page of `genrekit report`."""
