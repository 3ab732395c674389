package genrekit.demo

import android.content.res.AssetManager
import genrekit.core.Artifact
import genrekit.core.CardStream
import genrekit.core.Engine
import genrekit.core.FileException
import genrekit.core.ModelFormat
import genrekit.core.engine.KotlinEngine
import genrekit.demo.onnx.OnnxEngine
import genrekit.demo.tflite.TfliteEngine
import java.io.IOException

/** The .onnx and .tflite files of the app's assets, as `genrekit export` wrote them. */
class ModelStore(private val assets: AssetManager) {

    /** Names of the models, in alphabetical order. */
    fun names(): List<String> = assets.list("").orEmpty().filter { it.endsWith(".onnx") || it.endsWith(".tflite") }.sorted()

    /**
     * Reads a model and checks its hashes, and that the core computes its features.
     *
     * @throws genrekit.core.GenreKitException if it cannot be read or is not sound.
     */
    fun read(name: String): Artifact {
        val data = try {
            assets.open(name).use { it.readBytes() }
        } catch (error: IOException) {
            throw FileException("$name: cannot be read: ${error.message}", error)
        }
        val artifact = Artifact.read(name, data)
        CardStream(artifact.card) { } // refuses a feature or a window that the core cannot compute
        return artifact
    }

    /**
     * Loads a model into the engine for its format; into the core's own where that engine's
     * native library is not in this APK, or not for this phone's memory pages.
     *
     * @throws genrekit.core.GenreKitException if the engine refuses it.
     */
    fun load(artifact: Artifact): Engine =
        try {
            when (artifact.format) {
                ModelFormat.ONNX -> OnnxEngine(artifact, THREADS)
                ModelFormat.TFLITE -> TfliteEngine(artifact, THREADS)
            }
        } catch (_: LinkageError) {
            KotlinEngine(artifact)
        }

    private companion object {
        const val THREADS = 2 // a phone's large cores; more heat it and gain little
    }
}
