package genrekit.core

import kotlin.math.PI
import kotlin.math.exp
import kotlin.math.floor
import kotlin.math.sin

/** The reference signal: the same sound on every machine, from which an artifact proves itself. */
object ReferenceSignal {
    const val NAME = "genrekit-reference-1"

    private val VOICES_HZ = doubleArrayOf(110.0, 277.0, 659.0, 1_480.0, 3_520.0)

    /** Makes [nSamples] samples at [sampleRate] Hz: a gliding chord, a beat and noise below them. */
    fun make(nSamples: Int, sampleRate: Int): FloatArray =
        FloatArray(nSamples) { index ->
            val noise = noise(index)
            val seconds = index.toDouble() / sampleRate
            var chord = 0.0
            for (voice in VOICES_HZ.indices) {
                chord += sin(2.0 * PI * VOICES_HZ[voice] * (seconds + 0.02 * seconds * seconds)) / (voice + 1)
            }
            val beat = noise * exp(-24.0 * (seconds - floor(seconds / 0.5) * 0.5))
            (0.2 * chord + 0.25 * beat + 0.03 * noise).toFloat()
        }

    /**
     * White noise in -1..1 from a sample's index alone (32-bit integer hash).
     *
     * Reference: C. Wellons, "Prospecting for hash functions" (2018): lowbias32.
     */
    private fun noise(index: Int): Double {
        var x = index + -0x61c88647 // 0x9e3779b9
        x = x xor (x ushr 16)
        x *= 0x7feb352d
        x = x xor (x ushr 15)
        x *= -0x7b935975 // 0x846ca68b
        x = x xor (x ushr 16)
        return (x.toLong() and 0xffff_ffffL) / 2147483648.0 - 1.0
    }
}
