"""Speed and memory of features, start-up, live listening and long files."""
