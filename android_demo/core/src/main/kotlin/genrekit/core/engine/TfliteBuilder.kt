package genrekit.core.engine

import genrekit.core.ArtifactException
import genrekit.core.Card
import genrekit.core.EngineException
import genrekit.core.represent
import kotlin.math.exp
import kotlin.math.tanh

/**
 * Turns a TFLite graph into a program.
 *
 * Three kinds of fully connected layers occur. In float32 models all is float32. In models with
 * int8 weights only (dynamic range), each window's activations are quantised to 8 bits with a
 * scale of its own, as XNNPACK does. In int8 models every activation has its scale in the file.
 *
 * References: Jacob et al., "Quantization and Training of Neural Networks for Efficient
 * Integer-Arithmetic-Only Inference", CVPR 2018; XNNPACK, xnn_f32_qd8_asymmetric_quantization_params.
 */
internal class TfliteBuilder(private val graph: TfliteGraph, private val card: Card) {
    private val program = ProgramBuilder()
    private val values = HashMap<Int, Value>()

    // Operators on constants (DENSIFY, DEQUANTIZE) only name where their values come from.
    private val sources = HashMap<Int, Int>()

    /**
     * Builds the program.
     *
     * @throws ArtifactException if the graph's parts do not fit together, or it is not what its card says.
     * @throws EngineException if it uses an operator in a way that is not known here.
     */
    fun build(): Program {
        val names = graph.inputs.map { graph.tensors[it].name }
        if (names.sorted() != card.inputs.map { it.name }.sorted()) throw ArtifactException("the model takes ${names.take(8)}, its card says ${card.inputs.map { it.name }}")
        if (graph.outputs.map { graph.tensors[it].name } != listOf(card.output)) throw ArtifactException("the model's outputs are not its card's '${card.output}'")
        val inputs = card.inputs.map { spec ->
            val edge = graph.inputs.first { graph.tensors[it].name == spec.name }
            val tensor = graph.tensors[edge]
            if (tensor.element != Element.FLOAT32 || tensor.constant != null || tensor.shape != listOf(1) + spec.shape) {
                throw ArtifactException("input ${represent(spec.name).take(80)} is ${tensor.shape}, its card says float32 ${spec.shape}")
            }
            program.allocate(tensor.shape).also { values[edge] = Value(tensor.shape, it, owned = false) }
        }
        graph.operators.forEach(::add)
        val output = value(graph.outputs[0])
        if (graph.tensors[graph.outputs[0]].shape != listOf(1, card.labels.size)) throw ArtifactException("its output is ${output.shape}, its card has ${card.labels.size} labels")
        return program.finish(inputs, plain(output))
    }

    private fun add(operator: TfliteOperator) {
        if (operator.outputs.size != 1 || operator.inputs.isEmpty() || operator.inputs[0] == -1) throw ArtifactException("${operator.name}: wrong number of inputs or outputs")
        val first = operator.inputs[0]
        val output = operator.outputs[0]
        if (output in values || output in sources || graph.tensors[output].constant != null) throw ArtifactException("${operator.name}: its output is made twice")
        if (operator.name in setOf("DENSIFY", "DEQUANTIZE") && constant(first) != null) {
            sources[output] = first
            return
        }
        val value = when (operator.name) {
            "FULLY_CONNECTED" -> fullyConnected(operator)
            "ADD", "SUB", "MUL" -> arithmetic(operator)
            "RESHAPE", "QUANTIZE", "DEQUANTIZE" -> value(first).let { it.copy(shape = graph.tensors[output].shape, owned = false) }
            else -> unary(operator)
        }
        if (elements(value.shape) != value.data.size.toLong() || value.shape != graph.tensors[output].shape) {
            throw ArtifactException("${operator.name}: gives ${value.shape}, declared is ${graph.tensors[output].shape}")
        }
        values[output] = rounded(operator, value)
    }

    private fun constant(edge: Int): Constant? = graph.tensors[sources[edge] ?: edge].constant

    private fun value(edge: Int): Value =
        values[edge] ?: constant(edge)?.let { constant ->
            val data = program.allocate(constant.shape)
            for (i in data.indices) data[i] = constant.real(i).toFloat()
            Value(constant.shape, data, owned = false)
        } ?: throw ArtifactException("tensor ${represent(graph.tensors[edge].name).take(80)} is not made before it is used")

    /** The data of a value with scale 1. */
    private fun plain(value: Value): FloatArray {
        if (value.scale == 1.0) return value.data
        return appended(value.shape) { Scale(value.data, value.scale.toFloat(), it) }
    }

    private inline fun appended(shape: List<Int>, step: (FloatArray) -> Step): FloatArray {
        val data = program.allocate(shape)
        program.add(data.size.toLong(), step(data))
        return data
    }

    /** Applies the fused activation, and rounds to the output's levels where it is quantised. */
    private fun rounded(operator: TfliteOperator, value: Value): Value {
        val output = graph.tensors[operator.outputs[0]]
        val activation = operator.activation
        if (output.element == Element.FLOAT32) {
            if (activation == Activation.NONE) return value
            val low = (activation.low / value.scale).toFloat()
            val high = (activation.high / value.scale).toFloat()
            return value.copy(data = appended(value.shape) { Clip(value.data, low, high, it) }, owned = false, levels = null)
        }
        val step = step(output)
        val levels = maxOf(step.levels.start, activation.low / step.scale)..minOf(step.levels.endInclusive, activation.high / step.scale)
        if (value.isWhole(step.scale, levels)) return value
        val data = appended(value.shape) { Quantise(value.data, value.scale / step.scale, levels, it) }
        return Value(value.shape, data, owned = false, scale = step.scale, levels = levels)
    }

    private fun fullyConnected(operator: TfliteOperator): Value {
        val x = value(operator.inputs[0])
        val weights = constant(operator.inputs.getOrElse(1) { -1 }.also { if (it == -1) throw ArtifactException("FULLY_CONNECTED: no weights") })
            ?: throw EngineException("FULLY_CONNECTED: weights that are computed are not supported by the Kotlin engine")
        val bias = operator.inputs.getOrElse(2) { -1 }.takeIf { it != -1 }?.let { constant(it) ?: throw EngineException("FULLY_CONNECTED: a bias that is computed is not supported") }
        val output = graph.tensors[operator.outputs[0]]
        if (weights.shape.size != 2 || x.data.size % weights.shape[1] != 0) throw ArtifactException("FULLY_CONNECTED: ${x.shape} and ${weights.shape} do not fit")
        val (outputs, depth) = weights.shape
        if (bias != null && bias.tensor.size != outputs) throw ArtifactException("FULLY_CONNECTED: ${bias.tensor.size} biases for $outputs outputs")
        if (elements(output.shape) != x.data.size / depth * outputs.toLong()) throw ArtifactException("FULLY_CONNECTED: ${x.shape} and ${weights.shape} do not give ${output.shape}")
        val target = if (output.element == Element.FLOAT32) 1.0 else step(output).scale
        val matrix = program.allocate(weights.shape)
        for (flat in matrix.indices) matrix[flat % depth * outputs + flat / depth] = weights.centred(flat).toFloat()
        // The bias of an int8 layer has no zero point, and its scale is that of the products.
        val affine = Affine(
            matrix,
            FloatArray(outputs) { (weights.scale(it, 0) * x.scale / target).toFloat() },
            FloatArray(outputs) { index -> bias?.let { (it.real(index) / target).toFloat() } ?: 0f },
        )
        val data = program.allocate(output.shape)
        val dynamic = graph.tensors[operator.inputs[0]].element == Element.FLOAT32 && weights.tensor.element == Element.INT8
        val product = if (dynamic) QuantisingProduct(x.data, affine, data) else MatrixProduct(x.data, affine, data)
        program.add(matrix.size.toLong() * (x.data.size / depth), product)
        return Value(output.shape, data, owned = false, scale = target)
    }

    private fun arithmetic(operator: TfliteOperator): Value {
        if (operator.inputs.size != 2 || operator.inputs[1] == -1) throw ArtifactException("${operator.name}: takes two inputs")
        val x = value(operator.inputs[0])
        val y = value(operator.inputs[1])
        val shape = graph.tensors[operator.outputs[0]].shape
        val left = repeated(x, shape)
        val right = repeated(y, shape)
        val data = appended(shape) {
            when (operator.name) {
                "ADD" -> Add(left, right, 1f, it)
                "SUB" -> Add(left, right, -1f, it)
                else -> Multiply(left, right, it)
            }
        }
        return Value(shape, data, owned = false)
    }

    /** The data of a value with scale 1, repeated along its axes until it has [shape]. */
    private fun repeated(value: Value, shape: List<Int>): FloatArray {
        val data = plain(value)
        if (value.shape == shape) return data
        val padded = List(shape.size - value.shape.size) { 1 } + value.shape
        if (value.shape.size > shape.size || padded.indices.any { padded[it] !in setOf(1, shape[it]) }) {
            throw ArtifactException("${value.shape} cannot be repeated until it is $shape")
        }
        val from = IntArray(elements(shape).toInt()) { project(it, shape, padded) }
        return appended(shape) { Gather(data, from, it) }
    }

    private fun unary(operator: TfliteOperator): Value {
        val x = value(operator.inputs[0])
        val given = plain(x)
        val data = appended(x.shape) {
            when (operator.name) {
                "RELU" -> Clip(given, Activation.RELU.low, Activation.RELU.high, it)
                "RELU6" -> Clip(given, Activation.RELU6.low, Activation.RELU6.high, it)
                "LOGISTIC" -> Apply(given, Curve { x -> 1f / (1f + exp(-x)) }, it)
                "TANH" -> Apply(given, Curve { x -> tanh(x) }, it)
                "SOFTMAX" -> Softmax(given, operator.beta, it)
                else -> throw EngineException("${operator.name}: not of constants alone: not supported by the Kotlin engine")
            }
        }
        return Value(x.shape, data, owned = false)
    }

    private fun step(tensor: TfliteTensor): ActivationStep =
        tensor.quantisation?.ofActivation(tensor.element) ?: throw EngineException("${represent(tensor.name).take(80)}: its quantisation is not supported")
}

/** Quantises each row to 8 bits around its own zero point before it is multiplied. */
internal class QuantisingProduct(private val x: FloatArray, private val affine: Affine, private val out: FloatArray) : Step {
    private val depth = affine.matrix.size / affine.width
    private val levels = FloatArray(depth)

    override fun run() {
        out.fill(0f)
        for (row in 0 until x.size / depth) {
            val scale = quantise(row * depth)
            addProduct(levels, 0, depth, affine.matrix, 0, out, row * affine.width, affine.width)
            for (i in row * affine.width until (row + 1) * affine.width) out[i] /= scale
            affine.finish(out, row * affine.width)
        }
    }

    /** Writes [levels] of the row at [start], and returns how many of them there are to 1. */
    private fun quantise(start: Int): Float {
        var low = 0f
        var high = 0f
        for (i in 0 until depth) {
            low = Math.min(low, x[start + i])
            high = Math.max(high, x[start + i])
        }
        val steps = 255f / if (high == low) 255f else high - low
        // The zero point that puts the nearer end of the range exactly on a level.
        val fromLow = low * steps + (LOWEST + HIGHEST) + high * steps > 0f
        val exact = if (fromLow) LOWEST - low * steps else HIGHEST - high * steps
        val zeroPoint = Math.rint(exact.coerceIn(LOWEST, HIGHEST).toDouble()).toFloat()
        for (i in 0 until depth) {
            val level = Math.rint((x[start + i] * steps).toDouble()).toFloat() + zeroPoint
            levels[i] = Math.min(Math.max(level, LOWEST), HIGHEST) - zeroPoint
        }
        return steps
    }

    private companion object {
        const val LOWEST = -128f
        const val HIGHEST = 127f
    }
}
