package genrekit.core

import kotlin.math.exp

/** A genre and its probability. */
data class Score(val label: String, val probability: Double)

/** The best genre of one window. */
data class Segment(val startS: Double, val endS: Double, val label: String, val probability: Double)

/** What each stage of a classification cost, in milliseconds. */
data class Latency(
    val decodeMs: Double = 0.0,
    val resampleMs: Double = 0.0,
    val featuresMs: Double = 0.0,
    val inferenceMs: Double = 0.0,
    val totalMs: Double = 0.0,
)

/**
 * Ranked genres of a clip, its timeline and what each stage cost.
 *
 * @property ranking All genres, most probable first; probabilities are the mean over windows.
 * @property segments One per window, in order.
 */
data class Prediction(
    val ranking: List<Score>,
    val segments: List<Segment>,
    val durationS: Double,
    val latency: Latency,
) {
    /** The most probable genre. */
    val label: String get() = ranking[0].label
}

/** Turns logits into probabilities that sum to 1. */
fun softmax(logits: FloatArray): DoubleArray {
    var largest = Double.NEGATIVE_INFINITY
    for (logit in logits) largest = maxOf(largest, logit.toDouble())
    val exponentials = DoubleArray(logits.size) { exp(logits[it] - largest) }
    val sum = exponentials.sum()
    for (i in exponentials.indices) exponentials[i] /= sum
    return exponentials
}

/** Sorts labels by probability; ties keep the labels' order. */
fun rank(probabilities: DoubleArray, labels: List<String>): List<Score> =
    labels.mapIndexed { index, label -> Score(label, probabilities[index]) }.sortedByDescending { it.probability }

/** Position of the largest value; the first of several. */
internal fun argmax(values: DoubleArray): Int {
    var best = 0
    for (i in values.indices) if (values[i] > values[best]) best = i
    return best
}
