"""NumPy engine: runs a model where no engine has a wheel; the judge of none, equal to all."""
