package genrekit.core

import kotlin.math.PI
import kotlin.math.abs
import kotlin.math.ceil
import kotlin.math.cos
import kotlin.math.sin
import kotlin.math.sqrt

/**
 * Coefficients that turn one window of input into one tile of successive output samples.
 *
 * Apart from where its window starts, a tile depends only on the fraction of a sample (the
 * phase) at which it starts. Where up / down is a small fraction every tile starts at phase 0;
 * else the filters of a few fixed phases are applied and interpolated by Lagrange's
 * polynomials. The design is that of `genrekit.audio.resampling`.
 *
 * References: J. O. Smith, "Digital Audio Resampling", CCRMA (2002); J. F. Kaiser,
 * "Nonrecursive digital filter design using the I0-sinh window function", ISCAS 1974.
 *
 * @property up rateOut / rateIn in lowest terms, with [down].
 * @property halfWidth Input samples on each side of an output sample that take part in it.
 * @property tile Output samples per window.
 * @property window Input samples per tile.
 */
internal class TileFilter private constructor(
    val up: Int,
    val down: Int,
    val halfWidth: Int,
    val tile: Int,
    val window: Int,
    private val phases: DoubleArray,
    lowRate: Double,
) {
    private val columns = phases.size * tile

    // One row per input sample of the window: a loop over a row is what compilers vectorise,
    // where the sum of one output sample's products is not.
    private val coefficients = FloatArray(window * columns)
    private val sums = FloatArray(columns)
    private val weights = FloatArray(phases.size)

    init {
        val cutoff = (PASSBAND + STOPBAND) / 2 * lowRate
        val beta = 0.1102 * (ATTENUATION_DB - 8.7) // Kaiser's formula above 50 dB
        val scale = bessel0(beta)
        for (column in 0 until columns) {
            val at = phases[column / tile] + column % tile * (down.toDouble() / up)
            for (row in 0 until window) {
                val t = at + halfWidth - row
                if (abs(t) >= halfWidth) continue
                val kaiser = bessel0(beta * sqrt(1.0 - (t / halfWidth) * (t / halfWidth))) / scale
                coefficients[row * columns + column] = (cutoff * sinc(cutoff * t) * kaiser).toFloat()
            }
        }
    }

    /** First input sample of a tile's window, less [halfWidth]. */
    fun start(number: Long): Long = Math.floorDiv(number * tile * down, up.toLong())

    /** Computes tile [number] from [input], its window beginning at [offset], into [output]. */
    fun apply(number: Long, input: FloatArray, offset: Int, output: FloatArray) {
        sums.fill(0f)
        for (row in 0 until window) {
            val sample = input[offset + row]
            val base = row * columns
            for (column in 0 until columns) sums[column] += sample * coefficients[base + column]
        }
        if (phases.size == 1) {
            System.arraycopy(sums, 0, output, 0, tile)
            return
        }
        lagrangeWeights(Math.floorMod(number * tile * down, up.toLong()).toDouble() / up)
        for (sample in 0 until tile) {
            var sum = 0f
            for (phase in weights.indices) sum += weights[phase] * sums[phase * tile + sample]
            output[sample] = sum
        }
    }

    private fun lagrangeWeights(at: Double) {
        for (node in phases.indices) {
            var product = 1.0
            for (other in phases.indices) {
                if (other != node) product *= (at - phases[other]) / (phases[node] - phases[other])
            }
            weights[node] = product.toFloat()
        }
    }

    companion object {
        // Edges of the transition band, as parts of the lower Nyquist frequency.
        private const val PASSBAND = 0.9
        private const val STOPBAND = 1.0
        private const val ATTENUATION_DB = 96.0
        private const val PHASE_ERROR = 1e-5

        private const val MAX_FILTER_SIZE = 1L shl 19 // coefficients; ratios that need more interpolate
        private const val MIN_TILE = 32

        fun design(up: Int, down: Int): TileFilter {
            val lowRate = minOf(1.0, up.toDouble() / down)
            val transition = (STOPBAND - PASSBAND) * PI * lowRate // radians per input sample
            val halfWidth = ceil((ATTENUATION_DB - 7.95) / (2.285 * transition) / 2).toInt()
            val tile = up * ((MIN_TILE + up - 1) / up)
            val window = (tile - 1L) * down / up + 2 * halfWidth + 1
            if (window * tile <= MAX_FILTER_SIZE) {
                return TileFilter(up, down, halfWidth, tile, window.toInt(), doubleArrayOf(0.0), lowRate)
            }
            val wide = (MIN_TILE - 1) * down / up + 2 * halfWidth + 2
            return TileFilter(up, down, halfWidth, MIN_TILE, wide, chebyshevNodes(lowRate), lowRate)
        }

        private fun chebyshevNodes(lowRate: Double): DoubleArray {
            // Interpolating cos(w t) over a unit interval through n Chebyshev nodes is in error by
            // at most 2 (w / 4)^n / n!, and w is at most pi lowRate.
            var n = 0
            var bound = 2.0
            do {
                n++
                bound *= PI * lowRate / 4 / n
            } while (bound > PHASE_ERROR)
            return DoubleArray(n) { 0.5 + 0.5 * cos(PI * (it + 0.5) / n) }
        }

        private fun sinc(x: Double): Double = if (x == 0.0) 1.0 else sin(PI * x) / (PI * x)

        /** Modified Bessel function of the first kind, order 0, by its power series. */
        private fun bessel0(x: Double): Double {
            var term = 1.0
            var sum = 1.0
            var k = 1
            while (term > sum * 1e-17) {
                term *= (x / 2 / k) * (x / 2 / k)
                sum += term
                k++
            }
            return sum
        }
    }
}
