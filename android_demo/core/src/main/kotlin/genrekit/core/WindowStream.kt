package genrekit.core

/** Takes one input's tensors. */
internal fun interface TensorSink {
    /** @param tensor Valid only during the call. */
    fun take(tensor: FloatArray)
}

/**
 * Model input for one of a card's inputs, window by window, from a stream of samples.
 *
 * A feature whose frames stand alone is computed once per frame and shared by overlapping
 * windows; any other is computed from each window's own samples.
 *
 * @throws ConfigException if the card's features and windows do not fit together.
 */
internal class WindowStream(card: Card, private val spec: InputSpec, private val sink: TensorSink) {
    private val config = card.features
    private val frames: FrameStream?
    private val tensors = Tensors(spec)
    private val tensor = FloatArray(spec.size)

    // Rows of one window: frames of `width` values, or single samples.
    private val size: Int
    private val hop: Int
    private val width: Int
    private val rows: FloatArray
    private var filled = 0
    private var skipped = 0 // rows still to be passed over, where windows lie apart

    init {
        val rate = config.sampleRate
        if (Features.streams(spec.feature, config)) {
            val feature = FrameFeature.of(spec.feature, config)!!
            if (spec.layout == Layout.VECTOR) throw ConfigException("input ${represent(spec.name)}: ${spec.feature} has frames, the card says vector")
            frames = FrameStream(feature, config) { frame -> add(frame, 0, 1) }
            width = feature.bands
            size = spec.frames
            hop = maxOf(1, Math.rint(card.windowing.hopS * rate / config.hopLength).toInt())
            val expected = config.nFrames(card.windowSamples)
            if (size != expected) {
                throw ConfigException(
                    "input ${represent(spec.name)}: $size frames, but a window of ${represent(card.windowing.windowS)} s gives $expected",
                )
            }
            checkShape(size, width)
        } else {
            frames = null
            width = 1
            size = card.windowSamples
            hop = Math.rint(card.windowing.hopS * rate).toInt()
        }
        rows = FloatArray(size * width)
    }

    /** Samples between the starts of two windows. */
    val hopSamples: Int get() = hop * (if (frames == null) 1 else config.hopLength)

    /** Starts a new clip. */
    fun reset() {
        frames?.reset()
        filled = 0
        skipped = 0
    }

    fun push(samples: FloatArray, count: Int) {
        if (frames == null) add(samples, 0, count) else frames.push(samples, 0, count)
    }

    /** Ends the clip. */
    fun flush() {
        frames?.flush()
        reset()
    }

    private fun add(values: FloatArray, offset: Int, count: Int) {
        var taken = minOf(skipped, count)
        skipped -= taken
        while (taken < count) {
            val room = minOf(size - filled, count - taken)
            System.arraycopy(values, offset + taken * width, rows, filled * width, room * width)
            filled += room
            taken += room
            if (filled == size) {
                emit()
                val kept = maxOf(0, size - hop)
                System.arraycopy(rows, (size - kept) * width, rows, 0, kept * width)
                filled = kept
                val passed = minOf(maxOf(0, hop - size), count - taken)
                skipped = maxOf(0, hop - size) - passed
                taken += passed
            }
        }
    }

    private fun emit() {
        if (frames != null) {
            tensors.fill(rows, tensor)
        } else {
            val feature = Features.extract(spec.feature, rows, config)
            checkShape(feature.rows, feature.bands)
            tensors.fill(feature.values, tensor)
        }
        sink.take(tensor)
    }

    private fun checkShape(rows: Int, bands: Int) {
        if (rows == spec.frames && bands == spec.bands) return
        val given = when (spec.layout) {
            Layout.CHANNEL_BAND_FRAME -> listOf(1, bands, rows)
            Layout.FRAME_BAND -> listOf(rows, bands)
            Layout.VECTOR -> listOf(bands)
        }
        throw ConfigException(
            "input ${represent(spec.name)}: ${spec.feature} gives ${representTuple(given)}, the card says ${representTuple(spec.shape)}",
        )
    }
}
