package genrekit.core

/** Takes windows. */
fun interface WindowSink {
    /** @param inputs One tensor per input, in the card's order; valid only during the call. */
    fun take(inputs: Array<FloatArray>)
}

/**
 * All inputs of a card, window by window, from one stream of samples at the card's rate.
 *
 * Files and microphones take this path. Memory is fixed by the card, and for frame features
 * nothing is allocated once the buffers exist.
 *
 * @throws ConfigException if the card's features and windows do not fit together, or a feature
 *   is not supported.
 */
class CardStream(private val card: Card, private val sink: WindowSink) {
    private val queues = card.inputs.map { TensorQueue(it.size) }
    private val streams = card.inputs.mapIndexed { index, spec -> WindowStream(card, spec, queues[index]::add) }
    private val window = Array(card.inputs.size) { FloatArray(card.inputs[it].size) }

    // The clip's first samples, kept while it may turn out to be shorter than a window.
    private val head = FloatArray(card.windowSamples)
    private var headSize = 0
    private var produced = false

    /** Seconds between the starts of two windows. */
    val hopS: Double get() = streams[0].hopSamples.toDouble() / card.features.sampleRate

    /** Starts a new clip. */
    fun reset() {
        streams.forEach(WindowStream::reset)
        queues.forEach(TensorQueue::clear)
        headSize = 0
        produced = false
    }

    /** Takes the next [count] samples, full scale 1. */
    fun push(samples: FloatArray, count: Int) {
        if (!produced && headSize < head.size) {
            val kept = minOf(count, head.size - headSize)
            System.arraycopy(samples, 0, head, headSize, kept)
            headSize += kept
        }
        for (index in streams.indices) streams[index].push(samples, count)
        collect()
    }

    /**
     * Ends the clip; one shorter than a window is padded by the card's rule.
     *
     * @throws AudioException if the clip has no samples.
     */
    fun flush() {
        if (!produced && headSize < head.size) {
            val padded = padded()
            reset()
            push(padded, padded.size)
        }
        for (index in streams.indices) streams[index].flush()
        collect()
        reset()
    }

    private fun padded(): FloatArray {
        if (headSize == 0) throw AudioException("no samples: nothing to classify")
        return FloatArray(head.size) { at ->
            if (card.windowing.short == ShortRule.WRAP) head[at % headSize] else if (at < headSize) head[at] else 0f
        }
    }

    private fun collect() {
        while (ready()) {
            for (index in queues.indices) queues[index].remove(window[index])
            produced = true
            sink.take(window)
        }
    }

    private fun ready(): Boolean {
        for (index in queues.indices) if (queues[index].isEmpty) return false
        return true
    }
}

/** Tensors of one input that wait for those of the others; their arrays are used again. */
private class TensorQueue(private val size: Int) {
    private val waiting = java.util.ArrayDeque<FloatArray>()
    private val free = java.util.ArrayDeque<FloatArray>()

    val isEmpty: Boolean get() = waiting.isEmpty()

    fun add(tensor: FloatArray) {
        val copy = free.poll() ?: FloatArray(size)
        System.arraycopy(tensor, 0, copy, 0, size)
        waiting.add(copy)
    }

    fun remove(into: FloatArray) {
        val first = waiting.remove()
        System.arraycopy(first, 0, into, 0, size)
        free.add(first)
    }

    fun clear() {
        free.addAll(waiting)
        waiting.clear()
    }
}
