package genrekit.core.engine

import kotlin.math.exp

/** Multiplies with one number. */
internal class Scale(private val x: FloatArray, private val factor: Float, private val out: FloatArray) : Step {
    override fun run() {
        for (i in out.indices) out[i] = x[i] * factor
    }
}

/** Clips to an interval, which may be open at either end. */
internal class Clip(private val x: FloatArray, private val low: Float, private val high: Float, private val out: FloatArray) : Step {
    override fun run() {
        for (i in out.indices) out[i] = Math.min(Math.max(x[i], low), high)
    }
}

/** Multiplies, clips to whole numbers and rounds half to even: real numbers to centred integers. */
internal class Quantise(private val x: FloatArray, factor: Double, levels: ClosedFloatingPointRange<Double>, private val out: FloatArray) : Step {
    private val factor = factor.toFloat()
    private val low = levels.start.toFloat()
    private val high = levels.endInclusive.toFloat()

    override fun run() {
        // Adding this constant leaves no bit for a fraction: the sum is rounded as IEEE 754 says.
        for (i in out.indices) out[i] = (Math.min(Math.max(x[i] * factor, low), high) + NO_FRACTION) - NO_FRACTION
    }

    private companion object {
        const val NO_FRACTION = 12_582_912f // 1.5 * 2^23; the levels of 16 bits stay far below
    }
}

/** Moves elements: `out[i] = x[from[i]]`. */
internal class Gather(private val x: FloatArray, private val from: IntArray, private val out: FloatArray) : Step {
    override fun run() {
        for (i in out.indices) out[i] = x[from[i]]
    }
}

/** Moves elements and multiplies them: `out[to[i]] = x[i] * factor`. */
internal class Scatter(private val x: FloatArray, private val to: IntArray, private val factor: Float, private val out: FloatArray) : Step {
    override fun run() {
        for (i in x.indices) out[to[i]] = x[i] * factor
    }
}

/** Adds two arrays of one size, the second one multiplied. */
internal class Add(private val x: FloatArray, private val y: FloatArray, private val factor: Float, private val out: FloatArray) : Step {
    override fun run() {
        for (i in out.indices) out[i] = x[i] + y[i] * factor
    }
}

/** Multiplies two arrays of one size. */
internal class Multiply(private val x: FloatArray, private val y: FloatArray, private val out: FloatArray) : Step {
    override fun run() {
        for (i in out.indices) out[i] = x[i] * y[i]
    }
}

/** Multiplies each channel with a number of its own and adds another; channels lie last. */
internal class ScaleChannels(private val x: FloatArray, private val factor: FloatArray, private val offset: FloatArray, private val out: FloatArray) : Step {
    override fun run() {
        for (start in out.indices step factor.size) {
            for (i in factor.indices) out[start + i] = x[start + i] * factor[i] + offset[i]
        }
    }
}

/** Divides one array by another of its size. */
internal class Divide(private val x: FloatArray, private val y: FloatArray, private val out: FloatArray) : Step {
    override fun run() {
        for (i in out.indices) out[i] = x[i] / y[i]
    }
}

/** A function of one number; Kotlin's own function types would box it. */
internal fun interface Curve {
    fun at(x: Float): Float
}

/** Computes a function of each element. */
internal class Apply(private val x: FloatArray, private val curve: Curve, private val out: FloatArray) : Step {
    override fun run() {
        for (i in out.indices) out[i] = curve.at(x[i])
    }
}

/** exp(factor * x) over its sum. */
internal class Softmax(private val x: FloatArray, private val factor: Float, private val out: FloatArray) : Step {
    override fun run() {
        var largest = Float.NEGATIVE_INFINITY
        for (value in x) largest = Math.max(largest, value * factor)
        var sum = 0.0
        for (i in out.indices) {
            out[i] = exp(x[i] * factor - largest)
            sum += out[i]
        }
        for (i in out.indices) out[i] = (out[i] / sum).toFloat()
    }
}

/** Sum, or greatest, of the elements that go into one: element i of x goes into out[to[i]]. */
internal class Reduce(private val x: FloatArray, private val to: IntArray, private val greatest: Boolean, private val factor: Float, private val out: FloatArray) : Step {
    override fun run() {
        out.fill(if (greatest) Float.NEGATIVE_INFINITY else 0f)
        for (i in x.indices) out[to[i]] = if (greatest) Math.max(out[to[i]], x[i]) else out[to[i]] + x[i]
        for (i in out.indices) out[i] *= factor
    }
}

/** Greatest, or mean, under each position of a kernel; channels lie last. */
internal class Pool(
    private val x: FloatArray,
    private val sizes: Sizes,
    private val sliding: Sliding,
    private val greatest: Boolean,
    private val countPadding: Boolean,
    private val out: FloatArray,
) : Step {
    private val made = sliding.output(sizes)

    override fun run() {
        out.fill(if (greatest) Float.NEGATIVE_INFINITY else 0f)
        var at = 0
        for (row in 0 until made.rows) {
            for (column in 0 until made.columns) {
                pool(row * sliding.rows.stride - sliding.rows.before, column * sliding.columns.stride - sliding.columns.before, at)
                at += sizes.channels
            }
        }
    }

    private fun pool(top: Int, left: Int, at: Int) {
        var taps = 0
        for (down in 0 until sliding.rows.kernel) {
            val row = top + down * sliding.rows.dilation
            if (row < 0 || row >= sizes.rows) continue
            for (across in 0 until sliding.columns.kernel) {
                val column = left + across * sliding.columns.dilation
                if (column < 0 || column >= sizes.columns) continue
                take((row * sizes.columns + column) * sizes.channels, at)
                taps++
            }
        }
        if (greatest) return
        val factor = 1f / if (countPadding) sliding.rows.kernel * sliding.columns.kernel else taps
        for (i in 0 until sizes.channels) out[at + i] *= factor
    }

    private fun take(from: Int, at: Int) {
        if (greatest) for (i in 0 until sizes.channels) out[at + i] = Math.max(out[at + i], x[from + i])
        else for (i in 0 until sizes.channels) out[at + i] += x[from + i]
    }
}
