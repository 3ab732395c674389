package genrekit.core.engine

import genrekit.core.ArtifactException

/** One operation on arrays that were allocated before. */
internal fun interface Step {
    fun run()
}

/**
 * A tensor of a program: it stands for [scale] * [data].
 *
 * That is how quantised models run in float32: the array holds the whole numbers less their zero
 * point, exactly, and dequantising only names the scale. One number per tensor is enough, since
 * only weights are quantised per channel.
 *
 * @property shape Sizes of the axes, for one window.
 * @property data In memory order, see [place].
 * @property owned Whether a layer that alone uses the value may overwrite its data.
 * @property levels Lowest and highest value of data that are whole numbers; null for others.
 * @property zeroPoint For a quantised tensor before its DequantizeLinear, what was subtracted
 *   from the stored integers; null for real numbers.
 */
internal class Value(
    val shape: List<Int>,
    val data: FloatArray,
    val owned: Boolean = true,
    val scale: Double = 1.0,
    val levels: ClosedFloatingPointRange<Double>? = null,
    val zeroPoint: Double? = null,
) {
    /** Whether the data are already whole numbers of this scale within [wanted]. */
    fun isWhole(scale: Double, wanted: ClosedFloatingPointRange<Double>): Boolean =
        this.scale == scale && levels != null && levels.start >= wanted.start && levels.endInclusive <= wanted.endInclusive

    fun copy(
        shape: List<Int> = this.shape,
        data: FloatArray = this.data,
        owned: Boolean = this.owned,
        scale: Double = this.scale,
        levels: ClosedFloatingPointRange<Double>? = this.levels,
        zeroPoint: Double? = this.zeroPoint,
    ) = Value(shape, data, owned, scale, levels, zeroPoint)
}

/**
 * Where the element lies in memory that row-major order numbers [flat].
 *
 * Both are the same but for four axes, (windows, channels, rows, columns), which lie channels
 * last: the inner loops of convolutions and pools then run over channels, side by side.
 */
internal fun place(shape: List<Int>, flat: Int): Int {
    if (shape.size != 4) return flat
    val (_, channels, rows, columns) = shape
    val column = flat % columns
    val row = flat / columns % rows
    val channel = flat / (columns * rows) % channels
    val window = flat / (columns * rows * channels)
    return ((window * rows + row) * columns + column) * channels + channel
}

/** A model as steps over arrays that are allocated once: running it allocates nothing. */
internal class Program(private val inputs: List<FloatArray>, private val steps: Array<Step>, private val output: FloatArray) {

    /** Computes the output from one window's tensors; the array is the next run's, too. */
    fun run(tensors: Array<FloatArray>): FloatArray {
        for (index in inputs.indices) System.arraycopy(tensors[index], 0, inputs[index], 0, inputs[index].size)
        for (step in steps) step.run()
        return output
    }
}

/** A program in the making, within bounds of memory and time. */
internal class ProgramBuilder {
    private val steps = ArrayList<Step>()
    private var numbersLeft = MAX_NUMBERS
    private var productsLeft = MAX_PRODUCTS

    /** Allocates an array for a tensor of this shape. */
    fun allocate(shape: List<Int>): FloatArray {
        charge(elements(shape))
        return FloatArray(elements(shape).toInt())
    }

    /** One index for each element of a tensor of this shape, in memory order; [of] tells it by row-major number. */
    fun mapping(shape: List<Int>, of: (Int) -> Int): IntArray {
        charge(elements(shape))
        val map = IntArray(elements(shape).toInt())
        for (flat in map.indices) map[place(shape, flat)] = of(flat)
        return map
    }

    /** Appends a step of so many multiplications. */
    fun add(products: Long, step: Step) {
        productsLeft -= products
        if (products < 0 || productsLeft < 0) throw ArtifactException("it needs over $MAX_PRODUCTS multiplications for one window")
        steps.add(step)
    }

    fun finish(inputs: List<FloatArray>, output: FloatArray) = Program(inputs, steps.toTypedArray(), output)

    private fun charge(numbers: Long) {
        numbersLeft -= numbers
        if (numbers < 1 || numbersLeft < 0) throw ArtifactException("a tensor is empty, or all together are over $MAX_NUMBERS numbers")
    }

    private companion object {
        const val MAX_NUMBERS = 1L shl 25 // 128 MiB; ResNet18 needs 45 MiB for its weights
        const val MAX_PRODUCTS = 1L shl 34 // ResNet18 at 3 x 224 x 224 has 2^31
    }
}
