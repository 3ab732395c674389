package genrekit.core

/** Probabilities of the windows so far: their mean, and the best genre of each. */
class Tally(private val card: Card, private val hopS: Double) {
    private val sums = DoubleArray(card.labels.size)
    private val segments = ArrayList<Segment>()

    /** Windows so far. */
    val windows: Int get() = segments.size

    /** One segment per window, in order; a window may end behind the clip. */
    val timeline: List<Segment> get() = segments

    /** Adds one window's logits and returns its segment. */
    fun add(logits: FloatArray): Segment {
        val probabilities = softmax(logits)
        for (i in sums.indices) sums[i] += probabilities[i]
        val best = argmax(probabilities)
        val start = segments.size * hopS
        val segment = Segment(start, start + card.windowing.windowS, card.labels[best], probabilities[best])
        segments.add(segment)
        return segment
    }

    /** All genres by their mean probability; there must be a window. */
    fun ranking(): List<Score> = rank(DoubleArray(sums.size) { sums[it] / windows }, card.labels)
}
