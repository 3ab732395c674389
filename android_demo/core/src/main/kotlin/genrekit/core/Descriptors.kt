package genrekit.core

import kotlin.math.max
import kotlin.math.sqrt

/**
 * One number per frame: level, zero crossings, and the shape of the magnitude spectrum, by
 * librosa's conventions. Silence gives 0.
 *
 * Reference: librosa 0.11, `librosa.feature`.
 */
internal class Descriptors(private val config: FeatureConfig) {
    private val hz = DoubleArray(config.nBins) { it * (config.sampleRate.toDouble() / config.nFft) }

    /** Root mean square of each frame of padded samples. */
    fun rms(padded: FloatArray, frames: Int): FloatArray =
        FloatArray(frames) { frame ->
            var energy = 0.0
            val start = frame * config.hopLength
            for (i in start until start + config.nFft) energy += padded[i].toDouble() * padded[i]
            sqrt(energy / config.nFft).toFloat()
        }

    /** Share of a frame's samples whose sign differs from the one before; edges are repeated. */
    fun zeroCrossingRates(samples: FloatArray, frames: Int): FloatArray {
        val before = IntArray(samples.size)
        for (i in 1 until samples.size) {
            val crossed = (samples[i] < -SILENT_SAMPLE) != (samples[i - 1] < -SILENT_SAMPLE)
            before[i] = before[i - 1] + if (crossed) 1 else 0
        }
        return FloatArray(frames) { frame ->
            val first = frame * config.hopLength - config.margin
            val last = (first + config.nFft - 1).coerceIn(0, samples.size - 1)
            val crossings = before[last] - before[first.coerceIn(0, samples.size - 1)]
            (crossings.toDouble() / config.nFft).toFloat()
        }
    }

    /** Mean frequency in Hz, weighted by magnitude. */
    fun centroids(magnitude: Array<FloatArray>): FloatArray = FloatArray(magnitude.size) { moment(magnitude[it], 1).toFloat() }

    /** Standard deviation of frequency in Hz, weighted by magnitude. */
    fun bandwidths(magnitude: Array<FloatArray>): FloatArray =
        FloatArray(magnitude.size) { frame ->
            val centroid = moment(magnitude[frame], 1)
            sqrt(max(moment(magnitude[frame], 2) - centroid * centroid, 0.0)).toFloat()
        }

    /** Lowest frequency in Hz with at least `roll_percent` of the magnitude at or below it. */
    fun rolloffs(magnitude: Array<FloatArray>): FloatArray =
        FloatArray(magnitude.size) { frame ->
            // float32 sums in order, as librosa: a more accurate sum would pick another bin.
            val total = magnitude[frame].copyOf()
            for (bin in 1 until total.size) total[bin] += total[bin - 1]
            val threshold = config.rollPercent.toFloat() * total.last()
            hz[max(0, total.indexOfFirst { it >= threshold })].toFloat()
        }

    private fun moment(magnitude: FloatArray, order: Int): Double {
        var total = 0.0
        var sum = 0.0
        for (bin in magnitude.indices) {
            total += magnitude[bin]
            sum += magnitude[bin] * if (order == 1) hz[bin] else hz[bin] * hz[bin]
        }
        return if (total < SMALLEST_NORMAL) sum else sum / total
    }

    private companion object {
        const val SILENT_SAMPLE = 1e-10f
    }
}

/** The least normal float32: sums below it do not normalise. */
internal const val SMALLEST_NORMAL = 1.17549435e-38f
