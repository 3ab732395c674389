package genrekit.core

/** Takes blocks of samples. */
fun interface SampleSink {
    /** @param samples Valid in 0 until [count], and only during the call. */
    fun take(samples: FloatArray, count: Int)
}

/**
 * Converts the sample rate of a stream: a Kaiser-windowed sinc, the same as
 * `genrekit.audio.resampling`'s to float32 rounding.
 *
 * Output sample m lies at input time m * rateIn / rateOut: there is no delay. The clip is taken
 * to be silent before its start and after its end. Nothing is allocated while it runs.
 *
 * @param rateIn Hz, 8000..192000.
 * @param rateOut Hz. Equal rates pass the samples through.
 * @throws AudioException if a rate is out of bounds.
 */
class Resampler(rateIn: Int, rateOut: Int, private val sink: SampleSink) {
    private val filter: TileFilter?
    private val pending: FloatArray
    private val output: FloatArray
    private var filled = 0
    private var origin = 0L // samples that were in `pending` and are needed no more
    private var tiles = 0L
    private var received = 0L

    init {
        checkSampleRate(rateIn.toLong())
        checkSampleRate(rateOut.toLong())
        val divisor = greatestCommonDivisor(rateIn, rateOut)
        filter = if (rateIn == rateOut) null else TileFilter.design(rateOut / divisor, rateIn / divisor)
        pending = FloatArray(if (filter == null) 0 else filter.window + BLOCK)
        output = FloatArray(filter?.tile ?: 0)
        reset()
    }

    /** Starts a new stream. */
    fun reset() {
        // Silence before the first sample, as wide as the filter looks back.
        filled = filter?.halfWidth ?: 0
        pending.fill(0f)
        origin = 0
        tiles = 0
        received = 0
    }

    /** Takes the next [count] samples, finite, and passes on those that can be computed. */
    fun push(samples: FloatArray, count: Int) {
        if (filter == null) {
            sink.take(samples, count)
            return
        }
        received += count
        var taken = 0
        while (taken < count) {
            val room = minOf(pending.size - filled, count - taken)
            System.arraycopy(samples, taken, pending, filled, room)
            filled += room
            taken += room
            advance(filter, Long.MAX_VALUE)
        }
    }

    /** Ends the stream: in all, ceil(n * rateOut / rateIn) samples come out for n received. */
    fun flush() {
        if (filter != null) {
            val total = Math.floorDiv(received * filter.up + filter.down - 1, filter.down.toLong())
            while (tiles * filter.tile < total) {
                pending.fill(0f, filled, pending.size)
                filled = pending.size
                advance(filter, total)
            }
        }
        reset()
    }

    private fun advance(filter: TileFilter, total: Long) {
        while (tiles * filter.tile < total && filter.start(tiles) - origin + filter.window <= filled) {
            filter.apply(tiles, pending, (filter.start(tiles) - origin).toInt(), output)
            sink.take(output, minOf(filter.tile.toLong(), total - tiles * filter.tile).toInt())
            tiles++
        }
        val used = minOf(filter.start(tiles) - origin, filled.toLong()).toInt()
        System.arraycopy(pending, used, pending, 0, filled - used)
        filled -= used
        origin += used
    }

    private companion object {
        const val BLOCK = 4_096 // samples taken at once

        tailrec fun greatestCommonDivisor(a: Int, b: Int): Int = if (b == 0) a else greatestCommonDivisor(b, a % b)
    }
}
