package genrekit.core

/** Root of every error that a user can cause; the message is one line that says what to do. */
sealed class GenreKitException(message: String, cause: Throwable? = null) : Exception(message, cause)

/** Audio that cannot be decoded, or that a feature is not defined for. */
class AudioException(message: String) : GenreKitException(message)

/** A setting outside its bounds, or a JSON document that breaks its schema. */
class ConfigException(message: String) : GenreKitException(message)

/** A model file that is truncated, altered, or not one of ours. */
class ArtifactException(message: String) : GenreKitException(message)

/** An inference engine that cannot load or run a model. */
class EngineException(message: String, cause: Throwable? = null) : GenreKitException(message, cause)

/** A file that cannot be read. */
class FileException(message: String, cause: Throwable? = null) : GenreKitException(message, cause)
