package genrekit.core

import java.io.File
import kotlin.math.abs
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue

/** What Python said of real songs, as `expected.py` wrote it. */
object RealSongs {
    private val document = parseJson(File(System.getProperty("genrekit.build"), "expected.json").readText(), "expected") as Map<*, *>

    /** The models that Python classified them with, checked. */
    val artifacts: List<Artifact> get() = models().map { Artifact.read(File(it["model"] as String)) }

    /** Fails unless every label of every window of every song is Python's; skipped where no song is. */
    fun compare(formats: Set<ModelFormat>, load: (Artifact) -> Engine) {
        assumeTrue(document["reason"] == "", "no real songs: ${document["reason"]}")
        for ((model, artifact) in models().zip(artifacts)) if (artifact.format in formats) compare(model, artifact, load(artifact))
    }

    private fun compare(model: Map<*, *>, artifact: Artifact, engine: Engine) {
        var largest = 0.0
        var audioS = 0.0
        var windows = 0
        var latency = Latency()
        val songs = (model["songs"] as List<*>).map { it as Map<*, *> }
        GenreClassifier(artifact, engine).use { classifier ->
            for (song in songs) {
                val prediction = WavReader.open(File(song["song"] as String)).use(classifier::classify)
                assertEquals(song["label"], prediction.label, song["song"] as String)
                assertEquals(song["segments"], prediction.segments.map { it.label }, song["song"] as String)
                val probabilities = prediction.ranking.associate { it.label to it.probability }
                artifact.card.labels.zip(song["probabilities"] as List<*>).forEach { (label, wanted) ->
                    largest = maxOf(largest, abs(probabilities.getValue(label) - (wanted as JsonNumber).toDouble()))
                }
                audioS += prediction.durationS
                windows += prediction.segments.size
                latency = latency.copy(
                    featuresMs = latency.featuresMs + prediction.latency.featuresMs,
                    inferenceMs = latency.inferenceMs + prediction.latency.inferenceMs,
                )
            }
        }
        assertTrue(largest < 5e-3, "probabilities differ by $largest")
        println(
            "%s with %s: %d songs, every label of %d windows equal; probabilities differ by %.1e; features of 30 s %.1f ms, Python %.1f ms; inference of a window %.2f ms, Python %.2f ms".format(
                File(artifact.name).name, engine.name, songs.size, windows, largest,
                latency.featuresMs / audioS * 30, number(model, "features_s") / number(model, "audio_s") * 30_000,
                latency.inferenceMs / windows, number(model, "inference_s") / windows * 1_000,
            ),
        )
    }

    private fun models(): List<Map<*, *>> = (document["models"] as List<*>).map { it as Map<*, *> }

    private fun number(model: Map<*, *>, name: String): Double = (model[name] as JsonNumber).toDouble()
}
