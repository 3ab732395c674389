package genrekit.core

import kotlin.math.PI
import kotlin.math.cos
import kotlin.math.exp
import kotlin.math.ln
import kotlin.math.log10
import kotlin.math.max
import kotlin.math.min
import kotlin.math.sqrt

private const val HZ_PER_MEL = 200.0 / 3.0 // below the break
private const val BREAK_HZ = 1_000.0
private const val BREAK_MEL = BREAK_HZ / HZ_PER_MEL
private val LOG_STEP = ln(6.4) / 27.0 // per mel, above the break

/** Slaney mels of a frequency in Hz. */
internal fun hzToMel(hz: Double): Double = if (hz < BREAK_HZ) hz / HZ_PER_MEL else BREAK_MEL + ln(hz / BREAK_HZ) / LOG_STEP

/** Frequency in Hz of Slaney mels. */
internal fun melToHz(mel: Double): Double = if (mel < BREAK_MEL) mel * HZ_PER_MEL else BREAK_HZ * exp(LOG_STEP * (mel - BREAK_MEL))

/**
 * Rows of weights over the bins of a spectrum, their zeros left out.
 *
 * References: librosa 0.11, `librosa.filters.mel`; M. Slaney, Auditory Toolbox 2 (1998).
 */
internal class MelBank private constructor(rows: Array<DoubleArray>) {
    private val first = IntArray(rows.size) { row -> max(0, rows[row].indexOfFirst { it != 0.0 }) }
    private val weights = Array(rows.size) { row ->
        val last = rows[row].indexOfLast { it != 0.0 }
        FloatArray(max(0, last + 1 - first[row])) { rows[row][first[row] + it].toFloat() }
    }

    /** Multiplies one spectrum, or one row of decibels per bin, by the bank. */
    fun pool(bins: FloatArray, bands: FloatArray) {
        for (band in weights.indices) {
            val row = weights[band]
            val start = first[band]
            var sum = 0.0
            for (i in row.indices) sum += bins[start + i].toDouble() * row[i]
            bands[band] = sum.toFloat()
        }
    }

    companion object {
        /** Triangles scaled to unit area over frequency in Hz. */
        fun areaNormalised(config: FeatureConfig): MelBank {
            val edges = edges(config)
            return MelBank(
                Array(config.nMels) { band ->
                    val area = (edges[band + 2] - edges[band]) / 2.0
                    triangle(config, edges, band).also { row -> for (i in row.indices) row[i] /= area }
                },
            )
        }

        /** Triangles that average: rows sum to 1; one too narrow for a bin takes the nearest. */
        fun averaging(config: FeatureConfig): MelBank {
            val edges = edges(config)
            return MelBank(
                Array(config.nMels) { band ->
                    val row = triangle(config, edges, band)
                    if (row.sum() == 0.0) {
                        row[Math.rint(edges[band + 1] / (config.sampleRate / 2.0) * (config.nBins - 1)).toInt()] = 1.0
                    }
                    val sum = row.sum()
                    for (i in row.indices) row[i] /= sum
                    row
                },
            )
        }

        private fun edges(config: FeatureConfig): DoubleArray {
            val low = hzToMel(config.fMinHz)
            val step = (hzToMel(config.fTopHz) - low) / (config.nMels + 1)
            return DoubleArray(config.nMels + 2) { melToHz(low + it * step) }
        }

        /** Triangle of height 1 between the edges of [band], at each bin. */
        private fun triangle(config: FeatureConfig, edges: DoubleArray, band: Int): DoubleArray =
            DoubleArray(config.nBins) { bin ->
                val hz = bin * (config.sampleRate / 2.0) / (config.nBins - 1)
                val rising = (hz - edges[band]) / (edges[band + 1] - edges[band])
                val falling = (edges[band + 2] - hz) / (edges[band + 2] - edges[band + 1])
                max(0.0, min(rising, falling))
            }
    }
}

/** Turns the first [count] powers into decibels re 1.0, in place; [amin] is the least power kept. */
internal fun toDecibels(values: FloatArray, count: Int, amin: Float) {
    for (i in 0 until count) values[i] = (10.0 * log10(max(values[i], amin).toDouble())).toFloat()
}

/** The orthonormal DCT-II of [nBands] values, its first [nCoefficients] kept. */
internal class Dct(private val nCoefficients: Int, private val nBands: Int) {
    private val matrix = DoubleArray(nCoefficients * nBands) { at ->
        val order = at / nBands
        if (order == 0) sqrt(1.0 / nBands) else cos(PI / nBands * (at % nBands + 0.5) * order) * sqrt(2.0 / nBands)
    }

    fun transform(bands: FloatArray, coefficients: FloatArray) {
        for (order in 0 until nCoefficients) {
            var sum = 0.0
            for (band in 0 until nBands) sum += bands[band] * matrix[order * nBands + band]
            coefficients[order] = sum.toFloat()
        }
    }
}
