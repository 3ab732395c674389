package genrekit.core.engine

import genrekit.core.ArtifactException
import genrekit.core.represent

/**
 * A model's nodes in the order in which they run, and the tensors around them.
 *
 * @property inputs Names of the graph's inputs, those left out that are initializers.
 */
internal class OnnxGraph(
    val nodes: List<OnnxNode>,
    val initializers: Map<String, Tensor>,
    val inputs: Map<String, TensorType>,
    val outputs: Map<String, TensorType>,
)

/** Declared element type (of `TensorProto.DataType`) and shape; null is a size not fixed. */
internal class TensorType(val element: Int, val shape: List<Int?>?)

/**
 * One operator.
 *
 * @property inputs An empty name is an optional input left out.
 * @property attributes `Long`, `Float`, `String`, [Tensor], or a list of the first two.
 */
internal class OnnxNode(
    private val name: String,
    val operator: String,
    val domain: String,
    val inputs: List<String>,
    val outputs: List<String>,
    val attributes: Map<String, Any>,
) {
    override fun toString(): String = "$operator node ${represent(name.ifEmpty { outputs.joinToString(",") }).take(80)}"

    /** Name of input [index]; null where it is left out. */
    fun optional(index: Int): String? = inputs.getOrNull(index)?.ifEmpty { null }

    /** Name of input [index]. */
    fun input(index: Int): String = optional(index) ?: throw ArtifactException("$this: input ${index + 1} is left out")

    fun integer(name: String, default: Int): Int = attributes[name]?.let { toInt(name, it) } ?: default

    fun number(name: String, default: Double): Double =
        when (val value = attributes[name]) {
            null -> default
            is Float -> value.toDouble()
            else -> throw ArtifactException("$this: attribute $name is not a float")
        }

    fun integers(name: String, default: List<Int>): List<Int> =
        when (val value = attributes[name]) {
            null -> default
            is List<*> -> value.map { toInt(name, it) }
            else -> throw ArtifactException("$this: attribute $name is not a list of integers")
        }

    private fun toInt(name: String, value: Any?): Int {
        if (value !is Long || value != value.toInt().toLong()) throw ArtifactException("$this: attribute $name is no integer that fits")
        return value.toInt()
    }
}
