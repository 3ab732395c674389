package genrekit.core

import org.junit.jupiter.api.Test
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.CsvSource
import org.junit.jupiter.params.provider.ValueSource

/** Every stage computes what Python computes. */
class GoldenTest {
    // Python's, so that each stage is judged alone.
    private val samples = Golden.vector("resampled").values

    @Test
    fun `reference signal`() = Golden.check("signal", ReferenceSignal.make(4_096, 22_050))

    @Test
    fun `decoded song`() = Golden.check("song", Golden.song().copyOf(4_096))

    @Test
    fun `resampled song`() = Golden.check("resampled", resampled(Golden.song(), 44_100, 22_050))

    @ParameterizedTest
    @CsvSource("44100,22050", "48000,22050", "47999,22050", "8000,22050", "16000,48000")
    fun `sample rates`(rateIn: Int, rateOut: Int) {
        val signal = ReferenceSignal.make(2_000, rateIn)
        Golden.check("resample_${rateIn}_$rateOut", resampled(signal, rateIn, rateOut))
    }

    @ParameterizedTest
    @ValueSource(strings = ["zero", "reflect", "none"])
    fun `power spectra`(name: String) {
        val config = config(name)
        val padded = padSamples(samples, config)
        val spectrum = Spectrum(config.nFft)
        val rows = Golden.vector("$name.power").shape[0]
        val power = FloatArray(rows * config.nBins)
        val row = FloatArray(config.nBins)
        for (i in 0 until rows) {
            spectrum.power(padded, i * STEP * config.hopLength, row)
            System.arraycopy(row, 0, power, i * row.size, row.size)
        }
        Golden.check("$name.power", power)
    }

    @ParameterizedTest
    @CsvSource(
        "zero,log_mel", "zero,mfcc", "zero,mel_of_db", "zero,log_power",
        "reflect,log_mel", "reflect,mfcc", "reflect,mel_of_db", "reflect,log_power",
        "none,log_mel", "none,mfcc", "none,mel_of_db", "none,log_power",
    )
    fun `frame features`(name: String, kind: String) {
        val matrix = Features.extract(kind, samples, config(name))
        val rows = (0 until matrix.rows step STEP).flatMap { row ->
            matrix.values.copyOfRange(row * matrix.bands, (row + 1) * matrix.bands).asList()
        }
        Golden.check("$name.$kind", rows.toFloatArray())
    }

    @Test
    fun `the 57 numbers`() = Golden.check("tabular", Features.extract("tabular", samples, FeatureConfig()).values)

    @Test
    fun `input tensors of an onnx card`() {
        val tensors = ArrayList<Float>()
        val stream = CardStream(Golden.artifact("tiny.onnx").card) { tensors.addAll(it[0].asList()) }
        stream.push(samples, samples.size)
        stream.flush()
        Golden.check("onnx.tensors", tensors.toFloatArray())
    }

    @Test
    fun `input tensor of a tflite card from the reference signal`() =
        Golden.check("tflite.tensor", referenceInputs(Golden.artifact("tiny.tflite").card)[0])

    private fun config(name: String): FeatureConfig =
        when (name) {
            "zero" -> FeatureConfig(nMels = 64, nMfcc = 20, topDb = null)
            "reflect" -> FeatureConfig(padding = Padding.REFLECT, nMfcc = 13, fMinHz = 30.0, fMaxHz = 8_000.0)
            else -> FeatureConfig(nFft = 1_000, hopLength = 300, padding = Padding.NONE, nMels = 40, topDb = null)
        }

    private companion object {
        const val STEP = 16 // every 16th frame is in the vectors
    }
}
