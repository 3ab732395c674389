package genrekit.core

import kotlin.math.PI
import kotlin.math.cos
import kotlin.math.sin

/** The periodic Hann window of [n] samples. */
internal fun hannWindow(n: Int): DoubleArray = DoubleArray(n) { 0.5 - 0.5 * cos(2 * PI * it / n) }

/**
 * Fourier transform of real frames under a periodic Hann window, in float64.
 *
 * n / 2 complex numbers hold the n real ones; a last pass separates the two halves.
 * Nothing is allocated by [transform].
 *
 * @param nFft Samples per frame, even.
 */
internal class Spectrum(private val nFft: Int) {
    private val half = nFft / 2
    private val window = hannWindow(nFft)
    private val fft = Fft(half)
    private val workR = DoubleArray(half)
    private val workI = DoubleArray(half)
    private val cosine = DoubleArray(half + 1) { cos(PI * it / half) }
    private val sine = DoubleArray(half + 1) { -sin(PI * it / half) }

    /** Bins 0..nFft / 2 of the last transform. */
    val re = DoubleArray(half + 1)
    val im = DoubleArray(half + 1)

    /** Transforms the frame that starts at [offset]. */
    fun transform(samples: FloatArray, offset: Int) {
        for (k in 0 until half) {
            workR[k] = samples[offset + 2 * k] * window[2 * k]
            workI[k] = samples[offset + 2 * k + 1] * window[2 * k + 1]
        }
        fft.transform(workR, workI)
        for (k in 0..half) {
            val a = if (k == half) 0 else k
            val b = if (k == 0) 0 else half - k
            val evenR = 0.5 * (workR[a] + workR[b])
            val evenI = 0.5 * (workI[a] - workI[b])
            val oddR = 0.5 * (workI[a] + workI[b])
            val oddI = -0.5 * (workR[a] - workR[b])
            re[k] = evenR + oddR * cosine[k] - oddI * sine[k]
            im[k] = evenI + oddR * sine[k] + oddI * cosine[k]
        }
    }

    /** Writes the squared magnitudes of the frame at [offset] into [power], nFft / 2 + 1 long. */
    fun power(samples: FloatArray, offset: Int, power: FloatArray) {
        transform(samples, offset)
        for (k in 0..half) power[k] = (re[k] * re[k] + im[k] * im[k]).toFloat()
    }
}
