package genrekit.demo

import genrekit.core.Artifact
import genrekit.core.CardStream
import genrekit.core.EngineException
import genrekit.core.GenreClassifier
import genrekit.core.GenreKitException
import genrekit.core.JsonNumber
import genrekit.core.ReferenceSignal
import genrekit.core.WavReader
import genrekit.core.parseJson
import genrekit.core.verify
import genrekit.demo.onnx.OnnxEngine
import genrekit.demo.state.Hearing
import genrekit.demo.state.LiveSession
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.abs
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

/** Real inference, by ONNX Runtime's desktop build of the Java API that the app uses. */
class OnnxEngineTest {
    private val golden = File(System.getProperty("genrekit.golden"))
    private val tiny = Artifact.read(File(golden, "tiny.onnx"))
    private val expected = parseJson(File(System.getProperty("genrekit.build"), "expected.json").readText(), "expected") as Map<*, *>

    @Test
    fun `logits of the song are Python's`() {
        val vectors = parseJson(File(golden, "vectors.json").readText(), "vectors") as Map<*, *>
        val samples = vector(vectors, "resampled")
        val logits = ArrayList<Float>()
        OnnxEngine(tiny).use { engine ->
            val stream = CardStream(tiny.card) { logits.addAll(engine.run(it).asList()) }
            stream.push(samples, samples.size)
            stream.flush()
        }
        val wanted = vector(vectors, "onnx.logits")
        assertEquals(wanted.size, logits.size)
        for (i in wanted.indices) assertEquals(wanted[i], logits[i], 1e-3f, "logit $i")
    }

    @Test
    fun `artifacts verify on this machine`() {
        for (artifact in listOf(tiny) + models().map { Artifact.read(File(it["model"] as String)) }) {
            OnnxEngine(artifact).use { engine ->
                val outcome = verify(artifact, engine)
                println("verify ${artifact.name}: " + outcome.checks.joinToString { "${it.what} %.1e of %.1e".format(it.difference, it.tolerance) })
                assertTrue(outcome.passed, outcome.toString())
            }
        }
    }

    @Test
    fun `labels of real songs are Python's`() {
        assumeTrue(models().isNotEmpty(), "no real songs: ${expected["reason"]}")
        for (model in models()) compare(model)
    }

    @Test
    fun `a microphone gives windows at the card's pace`() {
        val heard = ArrayList<Hearing>()
        OnnxEngine(tiny).use { engine ->
            val session = LiveSession(tiny.card, engine, 44_100) { heard.add(it) }
            val signal = ReferenceSignal.make(3 * 44_100, 44_100)
            val pcm = ShortArray(signal.size) { (signal[it] * 32_767).toInt().toShort() }
            for (start in pcm.indices step 2_048) {
                val block = pcm.copyOfRange(start, minOf(start + 2_048, pcm.size))
                session.push(block, block.size)
            }
        }
        // 3 s, a window of 22 frames every 4 frames, padding only before the first.
        assertEquals((129 - 1 - 22) / 4 + 1, heard.size)
        assertEquals(1.0, heard.last().ranking.sumOf { it.probability }, 1e-9)
        assertEquals(heard.size, heard.last().timeline.size)
        assertTrue(heard.last().realTimeFactor > 0.0)
    }

    @Test
    fun `a model that is not its card's is refused`() {
        val renamed = File(golden, "tiny.tflite")
        val error = assertThrows<EngineException> { OnnxEngine(Artifact.read(renamed)) }
        assertTrue("ONNX Runtime refuses it" in error.message!!, error.message)
    }

    private fun compare(model: Map<*, *>) {
        val artifact = Artifact.read(File(model["model"] as String))
        var largest = 0.0
        var featuresMs = 0.0
        var audioS = 0.0
        val songs = model["songs"] as List<*>
        GenreClassifier(artifact, OnnxEngine(artifact)).use { classifier ->
            for (song in songs.map { it as Map<*, *> }) {
                val prediction = try {
                    WavReader.open(File(song["song"] as String)).use(classifier::classify)
                } catch (error: GenreKitException) {
                    throw AssertionError("Python read ${song["song"]}", error)
                }
                assertEquals(song["label"], prediction.label, song["song"] as String)
                assertEquals(song["segments"], prediction.segments.map { it.label }, song["song"] as String)
                val probabilities = prediction.ranking.associate { it.label to it.probability }
                artifact.card.labels.zip(song["probabilities"] as List<*>).forEach { (label, wanted) ->
                    largest = maxOf(largest, abs(probabilities.getValue(label) - (wanted as JsonNumber).toDouble()))
                }
                featuresMs += prediction.latency.featuresMs
                audioS += prediction.durationS
            }
        }
        assertTrue(largest < 1e-3, "probabilities differ by $largest")
        val python = (model["features_s"] as JsonNumber).toDouble() / (model["audio_s"] as JsonNumber).toDouble()
        println(
            "%s: %d songs, every label and segment equal; probabilities differ by %.1e; features of 30 s: JVM %.1f ms, Python %.1f ms"
                .format(File(artifact.name).name, songs.size, largest, featuresMs / audioS * 30, python * 30_000),
        )
    }

    private fun models(): List<Map<*, *>> = (expected["models"] as List<*>).map { it as Map<*, *> }

    private fun vector(index: Map<*, *>, name: String): FloatArray {
        val entry = index[name] as Map<*, *>
        val size = (entry["shape"] as List<*>).fold(1) { a, b -> a * (b as JsonNumber).text.toInt() }
        val offset = (entry["offset"] as JsonNumber).text.toInt()
        val data = ByteBuffer.wrap(File(golden, "vectors.bin").readBytes()).order(ByteOrder.LITTLE_ENDIAN)
        return FloatArray(size) { data.getFloat(offset + 4 * it) }
    }
}
