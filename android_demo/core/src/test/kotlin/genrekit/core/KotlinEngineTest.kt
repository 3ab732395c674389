package genrekit.core

import com.sun.management.ThreadMXBean
import genrekit.core.engine.KotlinEngine
import genrekit.core.engine.OnnxBuilder
import genrekit.core.engine.OnnxReader
import genrekit.core.engine.TfliteBuilder
import genrekit.core.engine.TfliteReader
import java.lang.management.ManagementFactory
import java.util.Random
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.MethodSource

/** The engine without native code computes what Python's engines compute. */
class KotlinEngineTest {
    @ParameterizedTest
    @MethodSource("cases")
    fun `logits are those of ONNX Runtime and LiteRT`(case: EngineCase) = case.check(KotlinEngine(case.artifact))

    @Test
    fun `labels of real songs are Python's`() = RealSongs.compare(setOf(ModelFormat.ONNX, ModelFormat.TFLITE), ::KotlinEngine)

    @Test
    fun `artifacts verify on this machine`() {
        for (artifact in listOf("tiny.onnx", "tiny.tflite").map(Golden::artifact) + RealSongs.artifacts) {
            val outcome = verify(artifact, KotlinEngine(artifact))
            println("verify ${artifact.name}: " + outcome.checks.joinToString { "${it.what} %.1e of %.1e".format(it.difference, it.tolerance) })
            assertTrue(outcome.passed, outcome.toString())
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    fun `a window leaves no trace in the next`(case: EngineCase) {
        val engine = KotlinEngine(case.artifact)
        val size = case.artifact.card.inputs[0].size
        val random = Random(1)
        val windows = List(2) { arrayOf(FloatArray(size) { random.nextGaussian().toFloat() }) }
        val first = engine.run(windows[0])
        engine.run(windows[1])
        assertArrayEquals(first, engine.run(windows[0]))
    }

    @Test
    fun `running allocates its result alone`() {
        val artifact = RealSongs.artifacts.first()
        val engine = KotlinEngine(artifact)
        val inputs = referenceInputs(artifact.card)
        repeat(200) { engine.run(inputs) } // until the code is compiled
        val bean = ManagementFactory.getThreadMXBean() as ThreadMXBean
        val thread = Thread.currentThread().id
        val before = bean.getThreadAllocatedBytes(thread)
        repeat(100) { engine.run(inputs) }
        val each = (bean.getThreadAllocatedBytes(thread) - before) / 100
        println("allocated by one inference of ${artifact.card.name}: $each bytes for ${artifact.card.labels.size} logits")
        assertTrue(each < 64 + 4 * artifact.card.labels.size, "$each bytes")
    }

    @ParameterizedTest
    @MethodSource("cases")
    fun `a damaged graph is refused in one line or runs, and never more than that`(case: EngineCase) {
        val random = Random(7)
        val model = case.artifact.model
        var refused = 0
        repeat(DAMAGES) { round ->
            val damaged = if (round % 8 == 0) model.copyOf(random.nextInt(model.size)) else model.copyOf()
            repeat(1 + random.nextInt(3)) { if (damaged.isNotEmpty()) damaged[place(random, damaged.size)] = random.nextInt(256).toByte() }
            try {
                when (case.artifact.format) {
                    ModelFormat.ONNX -> OnnxBuilder(OnnxReader(damaged).read(), case.artifact.card).build()
                    ModelFormat.TFLITE -> TfliteBuilder(TfliteReader(damaged).read(), case.artifact.card).build()
                }
            } catch (error: GenreKitException) {
                refused++
                assertTrue('\n' !in error.message!! && error.message!!.length < 600, error.message)
            }
        }
        assertTrue(refused > DAMAGES / 20, "refused: $refused of $DAMAGES")
    }

    /** Half of the damage near the ends, where the structure is; the middle is mostly weights. */
    private fun place(random: Random, size: Int): Int =
        when (random.nextInt(4)) {
            0 -> random.nextInt(minOf(size, 4_096))
            1 -> size - 1 - random.nextInt(minOf(size, 4_096))
            else -> random.nextInt(size)
        }

    private companion object {
        const val DAMAGES = 400

        @JvmStatic
        fun cases(): List<EngineCase> = EngineCase.all
    }
}
