"""Every error that a user can cause, under one root."""


class GenreKitError(Exception):
    """Root of genrekit's errors; its message is one line that says what to do."""


class AudioError(GenreKitError, ValueError):
    """Audio that cannot be decoded, or that a feature is not defined for."""


class ConfigError(GenreKitError, ValueError):
    """A setting outside its bounds, or a JSON document that breaks its schema."""


class ArtifactError(GenreKitError, ValueError):
    """A model file that is truncated, altered, or not one of ours."""


class EngineError(GenreKitError, RuntimeError):
    """An inference engine that cannot load or run a model."""


class DataError(GenreKitError, ValueError):
    """A dataset, split or run folder that cannot be used."""


class DependencyError(GenreKitError, ImportError):
    """An optional package that is not installed; the message has the install command."""


class FileError(GenreKitError, OSError):
    """A file that cannot be read or written."""
