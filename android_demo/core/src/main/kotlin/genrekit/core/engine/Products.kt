package genrekit.core.engine

/**
 * Adds a row times a matrix to a row: `out += x weight`.
 *
 * This is where nearly all of the time goes. The inner loop runs over a row of the matrix, which
 * compilers vectorise; four rows at once share one load and one store of the sum.
 *
 * @param count Values of x, and rows of the matrix, from [weightAt] on.
 * @param width Columns of the matrix, and values of out.
 */
internal fun addProduct(
    x: FloatArray, xAt: Int, count: Int,
    weight: FloatArray, weightAt: Int,
    out: FloatArray, outAt: Int, width: Int,
) {
    var row = 0
    while (row + 4 <= count) {
        val a = x[xAt + row]
        val b = x[xAt + row + 1]
        val c = x[xAt + row + 2]
        val d = x[xAt + row + 3]
        val at = weightAt + row * width
        for (i in 0 until width) {
            out[outAt + i] += a * weight[at + i] + b * weight[at + width + i] +
                c * weight[at + 2 * width + i] + d * weight[at + 3 * width + i]
        }
        row += 4
    }
    while (row < count) {
        val a = x[xAt + row]
        val at = weightAt + row * width
        for (i in 0 until width) out[outAt + i] += a * weight[at + i]
        row++
    }
}

/**
 * A matrix and what its products are scaled and shifted by: `(x matrix) * factor + offset`.
 *
 * Quantised weights stay whole numbers, so that sums below 2^24 are exact in any order; their
 * scales are in [factor].
 *
 * @property matrix Row by row, `width` wide.
 * @property factor One per column.
 * @property offset One per column.
 */
internal class Affine(val matrix: FloatArray, val factor: FloatArray, val offset: FloatArray) {
    val width: Int get() = factor.size

    /** Scales and shifts one row of products. */
    fun finish(out: FloatArray, at: Int) {
        for (i in factor.indices) out[at + i] = out[at + i] * factor[i] + offset[i]
    }
}

/** Rows of [x] times a matrix. */
internal class MatrixProduct(private val x: FloatArray, private val affine: Affine, private val out: FloatArray) : Step {
    private val depth = affine.matrix.size / affine.width

    override fun run() {
        out.fill(0f)
        for (row in 0 until x.size / depth) {
            addProduct(x, row * depth, depth, affine.matrix, 0, out, row * affine.width, affine.width)
            affine.finish(out, row * affine.width)
        }
    }
}

/** The product of two matrices of which neither is known beforehand; y is [width] wide. */
internal class ComputedProduct(private val x: FloatArray, private val y: FloatArray, private val width: Int, private val out: FloatArray) : Step {
    private val depth = y.size / width

    override fun run() {
        out.fill(0f)
        for (row in 0 until out.size / width) addProduct(x, row * depth, depth, y, 0, out, row * width, width)
    }
}

/**
 * A two-dimensional convolution over arrays that lie channels last.
 *
 * @param affine Its matrix: groups, kernel rows, kernel columns, channels of a group, outputs of a group.
 */
internal class Convolution(
    private val x: FloatArray,
    private val sizes: Sizes,
    private val sliding: Sliding,
    private val groups: Int,
    private val affine: Affine,
    private val out: FloatArray,
) : Step {
    private val made = sliding.output(sizes)
    private val depth = sizes.channels / groups
    private val each = affine.width / groups

    // Taps of one kernel row read a run of memory, and their weights are one, too.
    private val inRuns = groups == 1 && sliding.columns.dilation == 1

    override fun run() {
        out.fill(0f)
        var at = 0
        for (row in 0 until made.rows) {
            for (column in 0 until made.columns) {
                add(row * sliding.rows.stride - sliding.rows.before, column * sliding.columns.stride - sliding.columns.before, at)
                affine.finish(out, at)
                at += affine.width
            }
        }
    }

    /** Adds the products of the kernel with its upper left tap at ([top], [left]). */
    private fun add(top: Int, left: Int, at: Int) {
        for (tap in 0 until sliding.rows.kernel) {
            val row = top + tap * sliding.rows.dilation
            if (row < 0 || row >= sizes.rows) continue
            if (inRuns) addRun(row, tap, left, at) else addTaps(row, tap, left, at)
        }
    }

    private fun addRun(row: Int, tap: Int, left: Int, at: Int) {
        val first = maxOf(0, -left)
        val taps = minOf(sliding.columns.kernel, sizes.columns - left) - first
        val from = (row * sizes.columns + left + first) * depth
        val weightAt = (tap * sliding.columns.kernel + first) * depth * each
        if (taps > 0) addProduct(x, from, taps * depth, affine.matrix, weightAt, out, at, each)
    }

    private fun addTaps(row: Int, tap: Int, left: Int, at: Int) {
        for (across in 0 until sliding.columns.kernel) {
            val column = left + across * sliding.columns.dilation
            if (column < 0 || column >= sizes.columns) continue
            for (group in 0 until groups) {
                val from = (row * sizes.columns + column) * sizes.channels + group * depth
                val weightAt = ((group * sliding.rows.kernel + tap) * sliding.columns.kernel + across) * depth * each
                addProduct(x, from, depth, affine.matrix, weightAt, out, at + group * each, each)
            }
        }
    }
}
