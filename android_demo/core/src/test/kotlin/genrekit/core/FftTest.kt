package genrekit.core

import java.util.Random
import kotlin.math.PI
import kotlin.math.abs
import kotlin.math.cos
import kotlin.math.sin
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource

/** Transforms against the sum that defines them, medians against a sort. */
class FftTest {
    @ParameterizedTest
    @ValueSource(ints = [1, 2, 4, 8, 64, 3, 5, 12, 97, 500])
    fun `is the discrete Fourier transform`(n: Int) {
        val random = Random(n.toLong())
        val re = DoubleArray(n) { random.nextGaussian() }
        val im = DoubleArray(n) { random.nextGaussian() }
        val r = re.copyOf()
        val i = im.copyOf()
        Fft(n).transform(r, i)
        for (k in 0 until n) {
            var sumR = 0.0
            var sumI = 0.0
            for (t in 0 until n) {
                val angle = -2 * PI * (k.toLong() * t % n) / n
                sumR += re[t] * cos(angle) - im[t] * sin(angle)
                sumI += re[t] * sin(angle) + im[t] * cos(angle)
            }
            assertTrue(abs(sumR - r[k]) < 1e-10 && abs(sumI - i[k]) < 1e-10, "bin $k of $n: $sumR, ${r[k]}")
        }
    }

    @ParameterizedTest
    @ValueSource(ints = [1, 2, 5, 30, 31, 32, 200])
    fun `running median is the middle of 31 sorted neighbours`(n: Int) {
        val random = Random(n.toLong())
        val values = FloatArray(n) { random.nextInt(40).toFloat() } // with ties
        val mirrored = { index: Int -> Math.floorMod(index, 2 * n).let { values[if (it < n) it else 2 * n - 1 - it] } }
        val expected = FloatArray(n) { at -> FloatArray(31) { mirrored(at - 15 + it) }.also { it.sort() }[15] }
        val filtered = values.copyOf()
        RunningMedian().filter(filtered)
        assertEquals(expected.asList(), filtered.asList())
    }

    @Test
    fun `mel scale meets Slaney's anchor points`() {
        for ((hz, mel) in listOf(0.0 to 0.0, 1_000.0 to 15.0, 6_400.0 to 42.0)) {
            assertEquals(mel, hzToMel(hz), 1e-12)
            assertEquals(hz, melToHz(mel), 1e-9)
        }
    }
}
