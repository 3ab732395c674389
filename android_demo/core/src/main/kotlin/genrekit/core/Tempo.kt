package genrekit.core

import kotlin.math.ln
import kotlin.math.ln1p
import kotlin.math.max

/**
 * Tempo in beats per minute: onset strength, its local autocorrelation, and a prior.
 *
 * The onset strength of a frame is the median over mel bands of the rise in level since the
 * frame before. Its autocorrelation under a window of 8 s, normalised and averaged over the
 * clip, has peaks at the beat's period and its multiples; a log-normal prior around 120 picks.
 *
 * References: D. Ellis, "Beat tracking by dynamic programming" (2007); librosa 0.11, the tempo
 * of `librosa.beat.beat_track`.
 */
internal class Tempo(private val config: FeatureConfig) {

    /**
     * Estimates the tempo from mel bands in decibels, frames first.
     *
     * @return Below 320; 0.0 if the clip has no onset, as in silence.
     * @throws ConfigException if a hop is so long that no tempo can be told.
     */
    fun bpm(levels: Array<FloatArray>): Double {
        val onsets = onsets(levels)
        if (onsets.all { it == 0f }) return 0.0
        val nLags = (WINDOW_S * config.sampleRate).toInt() / config.hopLength
        if (nLags < 2) {
            throw ConfigException("hop_length=${config.hopLength}: tempo needs two hops in 8 s, at most ${(WINDOW_S * config.sampleRate).toInt() / 2} samples each")
        }
        val correlation = meanAutocorrelation(onsets, nLags)
        var best = 1
        var bestScore = Double.NEGATIVE_INFINITY
        for (lag in 1 until nLags) {
            val bpm = bpmOf(lag)
            if (bpm >= LIMIT_BPM) continue
            val octaves = ln(bpm / CENTRE_BPM) / ln(2.0)
            val score = ln1p(SHARPNESS * correlation[lag]) - 0.5 * octaves * octaves
            if (score > bestScore) {
                best = lag
                bestScore = score
            }
        }
        return bpmOf(best)
    }

    private fun bpmOf(lag: Int): Double = 60.0 * config.sampleRate / (config.hopLength * lag.toDouble())

    private fun onsets(levels: Array<FloatArray>): FloatArray {
        val delay = if (config.padding == Padding.NONE) 0 else config.nFft / (2 * config.hopLength)
        val rises = FloatArray(config.nMels)
        return FloatArray(levels.size) { frame ->
            val at = frame - delay
            if (at < 1) return@FloatArray 0f
            for (band in rises.indices) rises[band] = max(levels[at][band] - levels[at - 1][band], 0f)
            median(rises)
        }
    }

    /** Average over frames of the autocorrelation, 1 at lag 0, of the windowed neighbours. */
    private fun meanAutocorrelation(onsets: FloatArray, nLags: Int): DoubleArray {
        val padded = ramped(onsets, nLags / 2)
        val taper = hannWindow(nLags)
        val window = DoubleArray(nLags)
        val mean = DoubleArray(nLags)
        for (frame in onsets.indices) {
            for (i in 0 until nLags) window[i] = padded[frame + i] * taper[i]
            val energy = window.sumOf { it * it }
            val scale = 1.0 / ((if (energy < java.lang.Double.MIN_NORMAL) 1.0 else energy) * onsets.size)
            for (lag in 0 until nLags) {
                var sum = 0.0
                for (i in lag until nLags) sum += window[i] * window[i - lag]
                mean[lag] += sum * scale
            }
        }
        return mean
    }

    /** The onsets between two ramps from and to zero. */
    private fun ramped(onsets: FloatArray, ramp: Int): FloatArray =
        FloatArray(onsets.size + 2 * ramp) { at ->
            val index = at - ramp
            when {
                index < 0 -> onsets.first() * at / ramp
                index >= onsets.size -> onsets.last() * (onsets.size + 2 * ramp - 1 - at) / ramp
                else -> onsets[index]
            }
        }

    private companion object {
        const val WINDOW_S = 8.0
        const val CENTRE_BPM = 120.0 // of the prior; its standard deviation is one octave
        const val LIMIT_BPM = 320.0
        const val SHARPNESS = 1e6 // of the autocorrelation against the prior, as in librosa
    }
}
