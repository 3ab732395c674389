package genrekit.core

/** What stands before the first and after the last sample of a clip, n_fft / 2 long. */
enum class Padding { ZERO, REFLECT, NONE }

/**
 * Every number that turns a waveform into features; part of every artifact's card.
 *
 * @property sampleRate Hz; audio at another rate is resampled to it.
 * @property nFft Samples per frame, even.
 * @property hopLength Samples between frame starts.
 * @property nMels Mel bands (Slaney scale, area-normalised triangles).
 * @property fMinHz Lower edge of the lowest band.
 * @property fMaxHz Upper edge of the highest band; null is half the sample rate.
 * @property nMfcc Cepstral coefficients kept.
 * @property amin Smallest power before the logarithm; 1e-10 is -100 dB.
 * @property topDb Floor below the maximum of the whole clip; null leaves it out.
 * @property rollPercent Share of the energy below the spectral rolloff.
 * @throws ConfigException if a value is outside its bounds.
 */
data class FeatureConfig(
    val sampleRate: Int = 22_050,
    val nFft: Int = 2_048,
    val hopLength: Int = 512,
    val padding: Padding = Padding.ZERO,
    val nMels: Int = 128,
    val fMinHz: Double = 0.0,
    val fMaxHz: Double? = null,
    val nMfcc: Int = 13,
    val amin: Double = 1e-10,
    val topDb: Double? = 80.0,
    val rollPercent: Double = 0.85,
) {
    /** Upper edge of the highest mel band, in Hz. */
    val fTopHz: Double get() = fMaxHz ?: (sampleRate / 2.0)

    /** Bins of one spectrum. */
    val nBins: Int get() = nFft / 2 + 1

    /** Samples of padding on either side. */
    val margin: Int get() = if (padding == Padding.NONE) 0 else nFft / 2

    init {
        val nyquist = sampleRate / 2.0
        require(sampleRate in 8_000..192_000, "sample_rate", sampleRate, "8000..192000 Hz")
        require(nFft in 16..32_768 && nFft % 2 == 0, "n_fft", nFft, "even, 16..32768")
        require(hopLength in 1..nFft, "hop_length", hopLength, "1..n_fft=$nFft")
        require(nMels in 1..512, "n_mels", nMels, "1..512")
        require(fMinHz >= 0.0 && fMinHz < fTopHz, "f_min_hz", represent(fMinHz), "0..${represent(fTopHz)} Hz")
        require(fTopHz <= nyquist, "f_max_hz", represent(fTopHz), "at most ${represent(nyquist)} Hz")
        require(nMfcc in 1..nMels, "n_mfcc", nMfcc, "1..n_mels=$nMels")
        require(amin > 0.0 && amin <= 1.0, "amin", represent(amin), "above 0, at most 1")
        require(topDb == null || topDb > 0.0 && topDb <= 300.0, "top_db", topDb?.let(::represent), "0..300 dB, or None")
        require(rollPercent > 0.0 && rollPercent < 1.0, "roll_percent", represent(rollPercent), "between 0 and 1")
    }

    /** Frames that [nSamples] samples give. */
    fun nFrames(nSamples: Int): Int =
        if (padding == Padding.NONE) maxOf(0, 1 + Math.floorDiv(nSamples - nFft, hopLength)) else 1 + nSamples / hopLength

    internal companion object {
        private fun require(fits: Boolean, name: String, value: Any?, bound: String) {
            if (!fits) throw ConfigException("$name=$value: must be $bound")
        }

        val KEYS = arrayOf(
            "sample_rate", "n_fft", "hop_length", "padding", "n_mels", "f_min_hz", "f_max_hz", "n_mfcc", "amin", "top_db",
            "roll_percent",
        )

        /** Reads a card's feature section. */
        fun read(members: Members): FeatureConfig {
            val sampleRate = members.int("sample_rate")
            val nFft = members.int("n_fft")
            val hopLength = members.int("hop_length")
            val padding = Padding.valueOf(members.choice("padding", "zero", "reflect", "none").uppercase())
            val nMels = members.int("n_mels")
            val fMinHz = members.double("f_min_hz")
            val fMaxHz = members.doubleOrNull("f_max_hz")
            val nMfcc = members.int("n_mfcc")
            val amin = members.double("amin")
            val topDb = members.doubleOrNull("top_db")
            val rollPercent = members.double("roll_percent")
            return members.build {
                FeatureConfig(
                    sampleRate, nFft, hopLength, padding, nMels, fMinHz, fMaxHz, nMfcc, amin, topDb, rollPercent,
                )
            }
        }
    }
}
