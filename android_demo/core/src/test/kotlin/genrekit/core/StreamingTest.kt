package genrekit.core

import com.sun.management.ThreadMXBean
import java.lang.management.ManagementFactory
import java.util.Random
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.CsvSource
import org.junit.jupiter.params.provider.EnumSource

/** A stream gives what the whole clip gives, bit for bit, and allocates nothing. */
class StreamingTest {
    private val samples = ReferenceSignal.make(30_000, 22_050)

    @ParameterizedTest
    @EnumSource(Padding::class)
    fun `frames are those of the whole clip`(padding: Padding) {
        val config = FeatureConfig(padding = padding, nMels = 40, topDb = null)
        val whole = Features.extract("log_mel", samples, config).values
        for (seed in 0L until 5L) {
            val frames = ArrayList<Float>()
            val stream = FrameStream(FrameFeature.of("log_mel", config)!!, config) { frames.addAll(it.asList()) }
            repeat(2) { // a flushed stream is ready for the next clip
                frames.clear()
                cut(samples, seed) { part -> stream.push(part, 0, part.size) }
                stream.flush()
                assertArrayEquals(whole, frames.toFloatArray())
            }
        }
    }

    @ParameterizedTest
    @CsvSource("44100,22050", "47999,22050", "16000,22050", "22050,22050")
    fun `resampling does not depend on the blocks`(rateIn: Int, rateOut: Int) {
        val whole = resampled(samples, rateIn, rateOut)
        assertEquals(Math.ceil(samples.size.toDouble() * rateOut / rateIn).toInt(), whole.size)
        for (block in listOf(1, 7, 512, 9_999)) assertArrayEquals(whole, resampled(samples, rateIn, rateOut, block))
    }

    @Test
    fun `windows that lie apart skip the frames between them`() {
        // 16 frames of a window without padding, 20 frames from one to the next.
        val spec = InputSpec("x", "log_mel", Layout.FRAME_BAND, listOf(16, 40), Normalisation(NormalisationKind.NONE, emptyList(), emptyList()))
        val config = FeatureConfig(padding = Padding.NONE, nMels = 40, topDb = null)
        val card = Golden.artifact("tiny.onnx").card.copy(features = config, inputs = listOf(spec), windowing = Windowing(0.45, 0.45, ShortRule.ZERO))
        val whole = Features.extract("log_mel", samples, config)
        val hop = Math.rint(0.45 * 22_050 / 512).toInt()
        for (seed in 0L until 3L) {
            val windows = ArrayList<FloatArray>()
            val stream = CardStream(card) { windows.add(it[0].copyOf()) }
            cut(samples, seed) { part -> stream.push(part, part.size) }
            assertEquals((whole.rows - 16) / hop + 1, windows.size)
            windows.forEachIndexed { index, window ->
                assertArrayEquals(whole.values.copyOfRange(index * hop * 40, (index * hop + 16) * 40), window)
            }
        }
    }

    @Test
    fun `a short clip is wrapped or padded, an empty one refused`() {
        val card = Golden.artifact("tiny.onnx").card
        val short = samples.copyOf(3_000)
        val wrapped = windows(card, short)
        assertEquals(1, wrapped.size)
        assertArrayEquals(windows(card, FloatArray(card.windowSamples) { short[it % short.size] })[0], wrapped[0])
        val padded = windows(card.copy(windowing = card.windowing.copy(short = ShortRule.ZERO)), short)
        assertArrayEquals(windows(card, short.copyOf(card.windowSamples))[0], padded[0])
        val error = assertThrows<AudioException> { windows(card, FloatArray(0)) }
        assertEquals("no samples: nothing to classify", error.message)
    }

    @Test
    fun `a feature that the core does not compute is refused by name`() {
        val card = Golden.artifact("tiny.onnx").card
        val error = assertThrows<ConfigException> { CardStream(card.copy(inputs = listOf(card.inputs[0].copy(feature = "waveform@224")))) { } }
        assertTrue(error.message!!.startsWith("feature 'waveform@224' is not supported by the Android core; it has log_mel, "), error.message)
    }

    @Test
    fun `silence is finite and a sample that is not is refused`() {
        val card = Golden.artifact("tiny.onnx").card
        assertTrue(windows(card, FloatArray(30_000)).all { window -> window.all { !it.isNaN() && !it.isInfinite() } })
        assertThrows<AudioException> { windows(card, FloatArray(30_000) { Float.NaN }) }
    }

    @Test
    fun `nothing is allocated while it runs`() {
        val card = Golden.artifact("tiny.onnx").card
        var sum = 0f
        val stream = CardStream(card) { inputs -> sum += inputs[0][0] }
        val resampler = Resampler(44_100, 22_050) { values, count -> stream.push(values, count) }
        val block = ReferenceSignal.make(2_048, 44_100)
        repeat(400) { resampler.push(block, block.size) } // buffers, then compiled code
        val bean = ManagementFactory.getThreadMXBean() as ThreadMXBean
        val thread = Thread.currentThread().id
        val before = bean.getThreadAllocatedBytes(thread)
        repeat(1_000) { resampler.push(block, block.size) }
        val allocated = bean.getThreadAllocatedBytes(thread) - before
        println("allocated for 46 s of audio in 1000 blocks: $allocated bytes (checksum $sum)")
        // What reading the counter itself costs.
        assertTrue(allocated < 1_024, "$allocated bytes")
    }

    private fun windows(card: Card, samples: FloatArray): List<FloatArray> {
        val windows = ArrayList<FloatArray>()
        val stream = CardStream(card) { windows.add(it[0].copyOf()) }
        stream.push(samples, samples.size)
        stream.flush()
        return windows
    }

    private fun cut(samples: FloatArray, seed: Long, take: (FloatArray) -> Unit) {
        val random = Random(seed)
        var start = 0
        while (start < samples.size) {
            val end = minOf(samples.size, start + 1 + random.nextInt(if (seed % 2 == 0L) 3_000 else 40))
            take(samples.copyOfRange(start, end))
            start = end
        }
    }
}
