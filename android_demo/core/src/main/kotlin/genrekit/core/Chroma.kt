package genrekit.core

import kotlin.math.abs
import kotlin.math.exp
import kotlin.math.floor
import kotlin.math.ln
import kotlin.math.max
import kotlin.math.min
import kotlin.math.pow
import kotlin.math.sqrt

/**
 * The energy of each of the twelve pitch classes, tuned to the clip first: the tuning is the
 * commonest deviation of its spectral peaks from the equal-tempered scale at A = 440 Hz.
 *
 * Reference: librosa 0.11, `librosa.feature.chroma_stft`, `librosa.piptrack`.
 */
internal class Chroma(private val config: FeatureConfig) {

    /**
     * Folds power spectra into pitch classes, each frame scaled to a maximum of 1.
     *
     * @return 12 values per frame, frame by frame.
     */
    fun fold(power: Array<FloatArray>): FloatArray {
        val bank = bank(tuning(power))
        val chroma = FloatArray(power.size * CLASSES)
        for (frame in power.indices) {
            var peak = 0f
            for (pitch in 0 until CLASSES) {
                var sum = 0.0
                for (bin in bank[pitch].indices) sum += power[frame][bin].toDouble() * bank[pitch][bin]
                chroma[frame * CLASSES + pitch] = sum.toFloat()
                peak = max(peak, sum.toFloat())
            }
            if (peak < SMALLEST_NORMAL) peak = 1f
            for (pitch in 0 until CLASSES) chroma[frame * CLASSES + pitch] /= peak
        }
        return chroma
    }

    /** Deviation from A = 440 Hz in semitones, -0.5 to 0.49. */
    fun tuning(power: Array<FloatArray>): Double {
        val peaks = Peaks()
        for (frame in power) collect(frame, peaks)
        if (peaks.size == 0) return 0.0
        val median = peaks.medianHeight()
        val counts = IntArray(STEPS)
        for (i in 0 until peaks.size) {
            if (peaks.height[i] < median) continue
            val semitones = CLASSES * (ln((peaks.hz[i] / A0_HZ.toFloat()).toDouble()) / ln(2.0)).toFloat()
            var residual = semitones - floor(semitones)
            if (residual >= 0.5f) residual -= 1f
            counts[((residual + 0.5) * STEPS).toInt().coerceIn(0, STEPS - 1)]++
        }
        return counts.indices.maxByOrNull { counts[it] }!! / STEPS.toDouble() - 0.5
    }

    /** Finds a frame's local maxima and refines each by a parabola through three bins. */
    private fun collect(power: FloatArray, peaks: Peaks) {
        val binHz = config.sampleRate.toDouble() / config.nFft
        val threshold = PEAK_SHARE * power.maxOf { it }
        for (bin in 1 until power.size - 1) {
            val hz = bin * binHz
            if (hz < PEAK_LOW_HZ || hz >= min(PEAK_HIGH_HZ, config.sampleRate / 2.0)) continue
            val before = power[bin - 1]
            val here = power[bin]
            val after = power[bin + 1]
            if (!(here > threshold && here > before && here >= after)) continue
            val curvature = after + before - 2 * here
            val slope = (after - before) / 2
            val shift = if (abs(slope) < abs(curvature)) -slope / curvature else 0f
            peaks.add(((bin + shift.toDouble()) * binHz).toFloat(), here + 0.5f * slope * shift)
        }
    }

    private fun bank(tuning: Double): Array<FloatArray> {
        // One bin more than is kept: a bin is as wide as its distance to the next.
        val n = config.nBins
        val semitone = DoubleArray(n + 1) { bin ->
            val hz = max(bin, 1) * (config.sampleRate.toDouble() / config.nFft)
            CLASSES * ln(hz / (A0_HZ * 2.0.pow(tuning / CLASSES))) / ln(2.0)
        }
        // 0 Hz is taken to be one and a half octaves below the first bin: in no class above all.
        semitone[0] = semitone[1] - 1.5 * CLASSES
        val bank = Array(CLASSES) { FloatArray(n) }
        val column = DoubleArray(CLASSES)
        for (bin in 0 until n) {
            val width = max(semitone[bin + 1] - semitone[bin], 1.0)
            for (pitch in 0 until CLASSES) {
                val shifted = semitone[bin] - pitch + CLASSES / 2
                val distance = shifted - CLASSES * floor(shifted / CLASSES) - CLASSES / 2
                column[pitch] = exp(-0.5 * (2.0 * distance / width).pow(2))
            }
            val norm = sqrt(column.sumOf { it * it })
            val favour = exp(-0.5 * ((semitone[bin] / CLASSES - CENTRE_OCTAVE) / OCTAVE_WIDTH).pow(2))
            // Row 0 is A so far; the first pitch class is C.
            for (pitch in 0 until CLASSES) bank[(pitch + CLASSES - 3) % CLASSES][bin] = (column[pitch] / norm * favour).toFloat()
        }
        return bank
    }

    private companion object {
        const val CLASSES = 12
        const val A0_HZ = 440.0 / 16.0
        const val STEPS = 100 // of a semitone

        // Peaks that count for the tuning: their range, and the share of the frame's maximum.
        const val PEAK_LOW_HZ = 150.0
        const val PEAK_HIGH_HZ = 4_000.0
        const val PEAK_SHARE = 0.1f

        // The bank favours the octaves around A4, by a Gaussian over octaves above A0.
        const val CENTRE_OCTAVE = 5.0
        const val OCTAVE_WIDTH = 2.0
    }
}

/** Spectral peaks: frequency in Hz and power. */
private class Peaks {
    var size = 0
        private set
    var hz = FloatArray(256)
        private set
    var height = FloatArray(256)
        private set

    fun add(frequency: Float, power: Float) {
        if (size == hz.size) {
            hz = hz.copyOf(2 * size)
            height = height.copyOf(2 * size)
        }
        hz[size] = frequency
        height[size] = power
        size++
    }

    fun medianHeight(): Float = median(height.copyOf(size))
}

/** Median of [values], which are sorted by it; the mean of the middle two of an even number. */
internal fun median(values: FloatArray): Float {
    values.sort()
    val middle = values.size / 2
    return if (values.size % 2 == 1) values[middle] else (values[middle - 1] + values[middle]) / 2
}
