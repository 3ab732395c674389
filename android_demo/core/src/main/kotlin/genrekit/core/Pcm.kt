package genrekit.core

import java.nio.ByteBuffer

/** How one little-endian sample of a WAV file is stored. */
internal enum class Encoding(val width: Int) {
    UNSIGNED_8(1),
    SIGNED_16(2),
    SIGNED_24(3),
    SIGNED_32(4),
    FLOAT_32(4),
    FLOAT_64(8),
    MULAW(1);

    val isFloat: Boolean get() = this == FLOAT_32 || this == FLOAT_64

    /** Decodes the sample at [at]; full scale is 1. Integers are divided by 2 ^ (bits - 1). */
    fun decode(bytes: ByteBuffer, at: Int): Float =
        when (this) {
            UNSIGNED_8 -> ((bytes.get(at).toInt() and 0xff) - 128) / 128f
            SIGNED_16 -> bytes.getShort(at) / 32_768f
            SIGNED_24 -> (bytes.getShort(at).toInt() and 0xffff or (bytes.get(at + 2).toInt() shl 16)) / 8_388_608f
            SIGNED_32 -> bytes.getInt(at).toFloat() / 2_147_483_648f
            FLOAT_32 -> bytes.getFloat(at)
            FLOAT_64 -> bytes.getDouble(at).toFloat()
            MULAW -> MULAW_VALUES[bytes.get(at).toInt() and 0xff]
        }
}

/** The 256 values of G.711 mu-law (ITU-T Recommendation G.711, table 2a). */
private val MULAW_VALUES = FloatArray(256) { index ->
    val code = index.inv() and 0xff
    val magnitude = (((code and 0x0f shl 3) + 0x84) shl (code and 0x70 shr 4)) - 0x84
    (if (code and 0x80 != 0) -magnitude else magnitude) / 32_768f
}

/**
 * Where the samples of a file lie, and what they are.
 *
 * @property frames Whole frames that the file really holds, whatever its header claims.
 * @throws AudioException if the rate or the number of channels is out of bounds.
 */
internal class PcmLayout(val sampleRate: Long, val channels: Int, val encoding: Encoding, val dataOffset: Long, val frames: Long) {
    val frameBytes: Int get() = channels * encoding.width

    init {
        checkSampleRate(sampleRate)
        if (channels !in 1..MAX_CHANNELS) throw AudioException("$channels channels: must be 1..$MAX_CHANNELS")
    }
}

private const val MIN_RATE_HZ = 8_000L
private const val MAX_RATE_HZ = 192_000L
private const val MAX_CHANNELS = 256

// Float files may hold integer-scaled samples; beyond that a squared spectrum nears overflow.
private const val MAX_MAGNITUDE = 2147483648f

/** @throws AudioException unless [sampleRate] is 8000..192000 Hz. */
internal fun checkSampleRate(sampleRate: Long) {
    if (sampleRate !in MIN_RATE_HZ..MAX_RATE_HZ) {
        throw AudioException("sample rate $sampleRate Hz: must be $MIN_RATE_HZ..$MAX_RATE_HZ; resample the file")
    }
}

/** @throws AudioException on a NaN, an infinity or an absurd magnitude in frame [frame]. */
internal fun checkMagnitude(sample: Float, frame: Long) {
    if (Math.abs(sample) <= MAX_MAGNITUDE) return // false for NaN
    throw AudioException("sample $frame is ${representShort(sample)}: must be finite and within 2147483648 (full scale is 1); the file is damaged")
}

/** As C's %g. */
private fun representShort(value: Float): String =
    when {
        value.isNaN() -> "nan"
        value.isInfinite() -> if (value > 0) "inf" else "-inf"
        else -> {
            val (mantissa, exponent) = "%.5e".format(java.util.Locale.ROOT, value).split('e')
            val short = if ('.' in mantissa) mantissa.trimEnd('0').trimEnd('.') else mantissa
            "${short}e$exponent"
        }
    }
