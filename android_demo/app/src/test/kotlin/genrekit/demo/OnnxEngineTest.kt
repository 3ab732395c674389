package genrekit.demo

import genrekit.core.CardStream
import genrekit.core.EngineCase
import genrekit.core.EngineException
import genrekit.core.Golden
import genrekit.core.ModelFormat
import genrekit.core.RealSongs
import genrekit.core.ReferenceSignal
import genrekit.core.verify
import genrekit.demo.onnx.OnnxEngine
import genrekit.demo.state.Hearing
import genrekit.demo.state.LiveSession
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

/** Real inference, by ONNX Runtime's desktop build of the Java API that the app uses. */
class OnnxEngineTest {
    private val tiny = Golden.artifact("tiny.onnx")

    @Test
    fun `logits of the song are Python's`() {
        val samples = Golden.vector("resampled").values
        val logits = ArrayList<Float>()
        OnnxEngine(tiny).use { engine ->
            val stream = CardStream(tiny.card) { logits.addAll(engine.run(it).asList()) }
            stream.push(samples, samples.size)
            stream.flush()
        }
        Golden.check("onnx.logits", logits.toFloatArray())
    }

    @Test
    fun `networks of every kind give what Python's ONNX Runtime gives`() {
        // Roots and logarithms of 8-bit values turn one level into a third of the logits' range, and two versions of
        // ONNX Runtime differ by a level on processors with AMX. The app's own engine equals Python's there, exactly.
        val comparable = EngineCase.all.filter { it.artifact.format == ModelFormat.ONNX && it.name != "texture int8" }
        for (case in comparable) OnnxEngine(case.artifact).use(case::check)
    }

    @Test
    fun `artifacts verify on this machine`() {
        for (artifact in (listOf(tiny) + RealSongs.artifacts).filter { it.format == ModelFormat.ONNX }) {
            val outcome = OnnxEngine(artifact).use { verify(artifact, it) }
            assertTrue(outcome.passed, outcome.toString())
        }
    }

    @Test
    fun `labels of real songs are Python's`() = RealSongs.compare(setOf(ModelFormat.ONNX), ::OnnxEngine)

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
        val error = assertThrows<EngineException> { OnnxEngine(Golden.artifact("tiny.tflite")) }
        assertTrue("ONNX Runtime refuses it" in error.message!!, error.message)
    }
}
