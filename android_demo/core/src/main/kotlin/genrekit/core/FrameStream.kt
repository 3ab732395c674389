package genrekit.core

/** Takes frames. */
internal fun interface FrameSink {
    /** @param frame One frame's values, valid only during the call. */
    fun take(frame: FloatArray)
}

/**
 * Frames of a feature that needs only its frame's spectrum, from samples that come in parts.
 *
 * The buffers have a fixed size whatever is pushed, and nothing is allocated after the
 * constructor. The frames are those of the whole clip, to the last bit.
 */
internal class FrameStream(private val feature: FrameFeature, private val config: FeatureConfig, private val sink: FrameSink) {
    private val spectrum = Spectrum(config.nFft)
    private val buffer = FloatArray(config.nFft + BLOCK_FRAMES * config.hopLength)
    private val power = FloatArray(config.nBins)
    private val level = FloatArray(feature.levels)
    private val frame = FloatArray(feature.bands)
    private val mirror = if (config.padding == Padding.REFLECT) Mirror(config.margin) else null
    private var filled = 0

    init {
        reset()
    }

    /** Starts a new clip. */
    fun reset() {
        filled = 0
        mirror?.reset()
        if (config.padding == Padding.ZERO) {
            buffer.fill(0f, 0, config.margin)
            filled = config.margin
        }
    }

    /** Takes [count] samples from [offset] on. */
    fun push(samples: FloatArray, offset: Int, count: Int) {
        if (mirror == null) return consume(samples, offset, count)
        var taken = 0
        if (!mirror.started) {
            taken = minOf(mirror.missing, count)
            mirror.remember(samples, offset, taken)
            if (!mirror.started) return
            mirror.head { value -> consumeOne(value) }
        }
        mirror.remember(samples, offset + taken, count - taken)
        consume(samples, offset + taken, count - taken)
    }

    /**
     * Ends the clip: its last frames overlap the padding.
     *
     * @throws AudioException if the clip is too short for reflected padding.
     */
    fun flush() {
        when (config.padding) {
            Padding.ZERO -> repeat(config.margin) { consumeOne(0f) }
            Padding.REFLECT -> mirror!!.tail { value -> consumeOne(value) }
            Padding.NONE -> Unit
        }
        reset()
    }

    private fun consume(samples: FloatArray, offset: Int, count: Int) {
        var taken = 0
        while (taken < count) {
            val room = minOf(buffer.size - filled, count - taken)
            System.arraycopy(samples, offset + taken, buffer, filled, room)
            filled += room
            taken += room
            drain()
        }
    }

    private fun consumeOne(value: Float) {
        buffer[filled++] = value
        drain()
    }

    private fun drain() {
        if (filled < config.nFft) return
        var start = 0
        while (start + config.nFft <= filled) {
            spectrum.power(buffer, start, power)
            feature.level(power, level)
            feature.finish(level, frame)
            sink.take(frame)
            start += config.hopLength
        }
        System.arraycopy(buffer, start, buffer, 0, filled - start)
        filled -= start
    }

    private companion object {
        const val BLOCK_FRAMES = 16 // gathered before the buffer is moved
    }
}

/** Takes single samples. */
private fun interface ValueSink {
    fun take(value: Float)
}

/**
 * The samples that reflected padding mirrors: the first ones, until the clip can start, and the
 * last ones, some of which have left the frame buffer by its end.
 */
private class Mirror(private val margin: Int) {
    private val recent = FloatArray(margin + 1)
    private var next = 0
    private var seen = 0L

    /** Whether there are samples enough for the mirror image before the first. */
    val started: Boolean get() = seen > margin

    /** Samples to come before it can start. */
    val missing: Int get() = (margin + 1 - seen).toInt()

    fun reset() {
        next = 0
        seen = 0
    }

    /** Takes samples; before the clip can start, at most [missing]. */
    fun remember(samples: FloatArray, offset: Int, count: Int) {
        for (i in maxOf(0, count - recent.size) until count) {
            recent[next] = samples[offset + i]
            next = if (next == margin) 0 else next + 1
        }
        seen += count
    }

    /** Passes on the mirror image of the first samples, then these. */
    fun head(sink: ValueSink) {
        for (i in margin downTo 1) sink.take(recent[i])
        for (i in 0..margin) sink.take(recent[i])
    }

    /** Passes on the mirror image of the last samples. */
    fun tail(sink: ValueSink) {
        if (!started) throw AudioException("reflect padding needs ${margin + 1} samples, the clip has $seen")
        for (i in 1..margin) sink.take(recent[Math.floorMod(next - 1 - i, margin + 1)])
    }
}
