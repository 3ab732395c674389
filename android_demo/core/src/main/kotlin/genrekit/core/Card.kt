package genrekit.core

/** Schema that this core reads. */
const val SCHEMA_VERSION = 1

/** Largest card. */
const val MAX_CARD_BYTES = 1 shl 20

private const val MAX_LABELS = 1_000
private const val MAX_INPUT_VALUES = 1 shl 24
private const val MAX_WINDOW_SAMPLES = 1 shl 24 // 12 minutes at 22 050 Hz
private const val MAX_WINDOW_SPECTRUM = 1L shl 26 // samples of all frames of one window together
private const val MAX_OVERLAP = 100 // windows that hold one sample

/** How the values of a window are normalised; see [Tensors]. */
enum class NormalisationKind { NONE, FIXED, WINDOW }

/**
 * How feature values become model input.
 *
 * @property mean For [NormalisationKind.FIXED]: one number, or one per band.
 * @property std As many deviations.
 */
data class Normalisation(val kind: NormalisationKind, val mean: List<Double>, val std: List<Double>) {
    init {
        if ((kind == NormalisationKind.FIXED) != mean.isNotEmpty() || mean.size != std.size) {
            throw ConfigException(
                "normalisation '${kind.name.lowercase()}' with ${mean.size} means and ${std.size} deviations: " +
                    "'fixed' needs as many of each, at least one; the others none",
            )
        }
        if (std.any { it <= 0.0 }) throw ConfigException("normalisation: a standard deviation must be above 0")
    }
}

/** Order of a tensor's axes after the batch: (1, bands, frames), (frames, bands) or (values,). */
enum class Layout(val text: String, val axes: Int) {
    CHANNEL_BAND_FRAME("channel_band_frame", 3),
    FRAME_BAND("frame_band", 2),
    VECTOR("vector", 1),
}

/**
 * One tensor that the model takes.
 *
 * @property name The graph's input.
 * @property feature Kind of feature, as the runtime names it.
 * @property shape Sizes of the axes after the batch.
 */
data class InputSpec(
    val name: String,
    val feature: String,
    val layout: Layout,
    val shape: List<Int>,
    val normalisation: Normalisation,
) {
    /** Values of one frame; of the vector, if there are no frames. */
    val bands: Int get() = if (layout == Layout.CHANNEL_BAND_FRAME) shape[1] else shape.last()

    /** Frames of one window; 1 for a vector. */
    val frames: Int
        get() = when (layout) {
            Layout.CHANNEL_BAND_FRAME -> shape.last()
            Layout.FRAME_BAND -> shape[0]
            Layout.VECTOR -> 1
        }

    /** Values of the whole tensor. */
    val size: Int get() = shape.fold(1) { product, axis -> product * axis }

    init {
        val label = "input ${represent(name).take(40)}"
        if (shape.size != layout.axes || shape.any { it < 1 }) {
            throw ConfigException("$label: shape ${representTuple(shape)} is no ${layout.text}")
        }
        val values = shape.fold(1.0) { product, axis -> product * axis }
        if (values > MAX_INPUT_VALUES) throw ConfigException("$label: ${"%.0f".format(java.util.Locale.ROOT, values)} values, over $MAX_INPUT_VALUES")
        if (layout == Layout.CHANNEL_BAND_FRAME && shape[0] != 1) throw ConfigException("$label: ${shape[0]} channels, must be 1")
        if (normalisation.mean.size !in setOf(0, 1, bands)) {
            throw ConfigException("$label: ${normalisation.mean.size} means for $bands bands, must be 1 or one per band")
        }
    }
}

/** What a clip shorter than one window is padded with. */
enum class ShortRule { WRAP, ZERO }

/** How a clip is cut into windows. */
data class Windowing(val windowS: Double, val hopS: Double, val short: ShortRule) {
    init {
        if (windowS !in 0.05..600.0) throw ConfigException("window_s=${represent(windowS)}: must be 0.05..600 s")
        val shortest = maxOf(0.01, windowS / MAX_OVERLAP)
        if (hopS !in shortest..windowS) throw ConfigException("hop_s=${represent(hopS)}: must be ${represent(shortest)}..window_s=${represent(windowS)} s")
    }
}

/** A measured share of [n] tracks classified right, with its Wilson interval. */
data class Accuracy(val split: String, val n: Int, val accuracy: Double, val ci95: List<Double>) {
    init {
        if (n < 1 || ci95.size != 2) throw ConfigException("accuracy: n=$n with ${ci95.size} bounds: must be >= 1, 2")
        if (!(0.0 <= ci95[0] && ci95[0] <= accuracy && accuracy <= ci95[1] && ci95[1] <= 1.0)) {
            val interval = ci95.joinToString(", ", "(", ")") { represent(it) }
            throw ConfigException("accuracy ${represent(accuracy)} must lie in its interval $interval")
        }
    }
}

/** What the model learned from and how well. */
data class Training(
    val architecture: String,
    val data: String,
    val synthetic: Boolean,
    val split: String,
    val seed: Int,
    val accuracy: List<Accuracy>,
)

/** What was done to the model, in order, and how it compares with what it was made from. */
data class Compression(val steps: List<String>, val sourceBytes: Int, val labelAgreement: Double?, val agreementN: Int)

/**
 * Expected model-input values of the reference signal for one input.
 *
 * @property index Positions in the flattened tensor.
 * @property value Values there, after normalisation.
 * @property tolerance Largest absolute difference.
 */
data class Probe(val input: String, val index: List<Int>, val value: List<Double>, val tolerance: Double) {
    init {
        if (index.isEmpty() || index.size != value.size) throw ConfigException("probe: ${index.size} positions, ${value.size} values")
        if (!(tolerance > 0.0)) throw ConfigException("probe: tolerance=${represent(tolerance)} must be above 0")
    }
}

/** What the artifact must compute from the named reference signal, on any machine. */
data class Reference(val signal: String, val probes: List<Probe>, val logits: List<Double>, val logitTolerance: Double) {
    init {
        if (!(logitTolerance > 0.0)) throw ConfigException("logit_tolerance=${represent(logitTolerance)} must be above 0")
    }
}

/**
 * Everything that a runtime must know to use a model, and a person to judge it.
 *
 * Its two hashes detect corruption; they do not authenticate. The task is single-label
 * classification and windows are aggregated by their mean probability: schema 1 knows no other.
 */
data class Card(
    val name: String,
    val labels: List<String>,
    val features: FeatureConfig,
    val inputs: List<InputSpec>,
    val output: String,
    val windowing: Windowing,
    val training: Training,
    val compression: Compression,
    val licence: String,
    val intendedUse: String,
    val limits: String,
    val reference: Reference,
    val modelSha256: String,
    val cardSha256: String,
) {
    /** Samples of one window at the card's sample rate. */
    val windowSamples: Int get() = Math.rint(windowing.windowS * features.sampleRate).toInt()

    init {
        if (labels.size !in 2..MAX_LABELS || labels.toSet().size != labels.size) {
            throw ConfigException("labels: ${labels.size}, must be 2..$MAX_LABELS, all different")
        }
        if (inputs.size !in 1..8) throw ConfigException("inputs: ${inputs.size}, must be 1..8")
        if (inputs.map { it.name }.toSet().size != inputs.size) throw ConfigException("inputs: two have the same name")
        if (reference.logits.size != labels.size) {
            throw ConfigException("reference: ${reference.logits.size} logits for ${labels.size} labels")
        }
        val spectrum = features.nFrames(windowSamples).toLong() * features.nFft
        if (windowSamples > MAX_WINDOW_SAMPLES || spectrum > MAX_WINDOW_SPECTRUM) {
            throw ConfigException(
                "a window of $windowSamples samples, $spectrum in its frames: must be at most $MAX_WINDOW_SAMPLES and $MAX_WINDOW_SPECTRUM",
            )
        }
    }
}
