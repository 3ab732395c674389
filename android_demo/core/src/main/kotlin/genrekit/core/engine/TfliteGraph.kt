package genrekit.core.engine

/**
 * The one subgraph of a .tflite model; operators in the order in which they run.
 *
 * Inputs and outputs are positions in [tensors], -1 one left out.
 */
internal class TfliteGraph(
    val tensors: List<TfliteTensor>,
    val operators: List<TfliteOperator>,
    val inputs: List<Int>,
    val outputs: List<Int>,
)

/**
 * A tensor.
 *
 * @property shape As declared for one window.
 * @property constant Its values if they are known; null for what is computed.
 * @property quantisation How a quantised tensor's numbers are stored.
 */
internal class TfliteTensor(
    val name: String,
    val element: Element,
    val shape: List<Int>,
    val constant: Constant?,
    val quantisation: Quantisation?,
)

/** An operator. */
internal class TfliteOperator(
    val name: String,
    val inputs: List<Int>,
    val outputs: List<Int>,
    val activation: Activation,
    val beta: Float,
)

/** What a layer applies to its result. */
internal enum class Activation(val number: Int, val low: Float, val high: Float) {
    NONE(0, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY),
    RELU(1, 0f, Float.POSITIVE_INFINITY),
    RELU6(3, 0f, 6f),
}
