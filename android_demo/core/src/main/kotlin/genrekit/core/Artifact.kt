package genrekit.core

import java.io.File
import java.io.IOException

/** What runs a model: decided by its bytes, not by its name. */
enum class ModelFormat { ONNX, TFLITE }

/**
 * A checked model file.
 *
 * @property name Where it was read from, for messages.
 * @property model The model without the card, its SHA-256 equal to the card's.
 * @property size Bytes of the whole file.
 */
class Artifact private constructor(
    val name: String,
    val format: ModelFormat,
    val model: ByteArray,
    val card: Card,
    val size: Int,
) {
    companion object {
        /** Largest file that is read: it is held in memory. */
        const val MAX_BYTES = 256L shl 20

        /**
         * Reads a model file, its hashes checked before any engine sees a byte of it.
         *
         * @throws ArtifactException if it is truncated, altered, not a model, or has no card.
         * @throws FileException if it cannot be read or is over [MAX_BYTES].
         */
        fun read(file: File): Artifact {
            if (!file.isFile) throw FileException("$file: not a regular file")
            if (file.length() > MAX_BYTES) throw FileException("$file: larger than the $MAX_BYTES bytes that are read")
            val data = try {
                file.readBytes()
            } catch (error: IOException) {
                throw FileException("$file: cannot be read: ${error.message}", error)
            }
            return read(file.path, data)
        }

        /**
         * Reads a model from memory, as from an app's assets.
         *
         * @throws ArtifactException as for a file.
         */
        fun read(name: String, data: ByteArray): Artifact =
            try {
                if (data.isEmpty()) throw ArtifactException("the file is empty")
                val format = if (TfliteFile.isTflite(data)) ModelFormat.TFLITE else ModelFormat.ONNX
                val file = if (format == ModelFormat.ONNX) OnnxFile.split(data) else TfliteFile.split(data)
                val text = file.card
                    ?: throw ArtifactException("no genrekit card in it: truncated, or not made by 'genrekit export'")
                val card = readCard(text)
                if (sha256(file.model) != card.modelSha256) {
                    throw ArtifactException("the model's SHA-256 does not match its card: corrupt; copy it again")
                }
                Artifact(name, format, file.model, card, data.size)
            } catch (error: ArtifactException) {
                throw ArtifactException("$name: ${error.message}")
            }
    }
}
