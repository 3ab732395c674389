package genrekit.core

import kotlin.math.max
import kotlin.math.sqrt

/**
 * Normalises one window's feature values and lays them out as a card's input says.
 *
 * @param spec The input.
 */
internal class Tensors(private val spec: InputSpec) {
    private val kind = spec.normalisation.kind
    private val mean = perBand(spec.normalisation.mean)
    private val std = perBand(spec.normalisation.std)

    /**
     * Writes the tensor, without its batch axis.
     *
     * @param values Row by row, frames first: [InputSpec.frames] rows of [InputSpec.bands].
     * @param tensor [InputSpec.size] values.
     * @throws AudioException if a value is not finite.
     */
    fun fill(values: FloatArray, tensor: FloatArray) {
        if (kind == NormalisationKind.WINDOW) measure(values)
        val bands = spec.bands
        val frames = spec.frames
        val transposed = spec.layout == Layout.CHANNEL_BAND_FRAME
        for (frame in 0 until frames) {
            for (band in 0 until bands) {
                val raw = values[frame * bands + band]
                val value = if (kind == NormalisationKind.NONE) raw else (raw - mean[band]) / std[band]
                // One comparison for NaN and both infinities.
                if (!(Math.abs(value) <= Float.MAX_VALUE)) throw AudioException("${spec.feature} is not finite for this audio")
                tensor[if (transposed) band * frames + frame else frame * bands + band] = value
            }
        }
    }

    private fun measure(values: FloatArray) {
        val count = spec.frames * spec.bands
        var sum = 0.0
        for (i in 0 until count) sum += values[i]
        val centre = sum / count
        var squares = 0.0
        for (i in 0 until count) squares += (values[i] - centre) * (values[i] - centre)
        mean.fill(centre.toFloat())
        std.fill(max(sqrt(squares / count), SMALLEST_STD).toFloat())
    }

    private fun perBand(numbers: List<Double>): FloatArray =
        FloatArray(spec.bands) { band -> if (numbers.isEmpty()) 0f else numbers[if (numbers.size == 1) 0 else band].toFloat() }

    private companion object {
        const val SMALLEST_STD = 1e-6 // a window of silence is constant: it becomes all zeros, not NaN
    }
}
