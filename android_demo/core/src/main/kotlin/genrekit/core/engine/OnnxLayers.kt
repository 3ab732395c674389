package genrekit.core.engine

import genrekit.core.ArtifactException
import genrekit.core.EngineException
import kotlin.math.abs
import kotlin.math.exp
import kotlin.math.ln
import kotlin.math.sqrt
import kotlin.math.tanh

/*
 * How each ONNX operator is built. A layer whose output is quantised takes that scale into its
 * factors, so that its result need only be rounded and clipped.
 *
 * Reference: ONNX Operators, default domain, opsets 13 to 24.
 */

/** Functions of one element. */
private val CURVES: Map<String, Curve> = mapOf(
    "Abs" to Curve { abs(it) },
    "Exp" to Curve { exp(it) },
    "HardSwish" to Curve { it * (it / 6f + 0.5f).coerceIn(0f, 1f) },
    "Log" to Curve { ln(it) },
    "Neg" to Curve { -it },
    "Reciprocal" to Curve { 1f / it },
    "Sigmoid" to Curve { 1f / (1f + exp(-it)) },
    "Sqrt" to Curve { sqrt(it) },
    "Tanh" to Curve { tanh(it) },
)

/** Appends the steps of one node. */
internal fun OnnxBuilder.layer(node: OnnxNode) {
    when (node.operator) {
        "QuantizeLinear" -> quantise(node)
        "DequantizeLinear" -> dequantise(node)
        "Conv" -> convolution(node)
        "Gemm", "MatMul" -> matrix(node)
        "MaxPool", "AveragePool" -> pool(node)
        "GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "ReduceMax", "ReduceSum" -> reduce(node)
        "BatchNormalization" -> batchNorm(node)
        "Relu", "Clip" -> clip(node)
        in CURVES -> activation(node, CURVES.getValue(node.operator))
        "HardSigmoid" -> {
            val slope = node.number("alpha", 0.2).toFloat()
            val offset = node.number("beta", 0.5).toFloat()
            activation(node) { (slope * it + offset).coerceIn(0f, 1f) }
        }
        "Softmax" -> softmax(node)
        "Add", "Sub" -> sum(node)
        "Mul", "Div" -> product(node)
        "Concat" -> concat(node)
        "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose" -> move(node)
        "Identity" -> if (isConstant(node.input(0))) define(node, constant(node.input(0))) else alias(node, stored(node.input(0)))
        "Constant" -> define(node, Constant(node.attributes["value"] as? Tensor ?: throw ArtifactException("$node: holds no tensor: refused")))
        else -> throw EngineException("operator ${node.operator} is not supported by the Kotlin engine: it needs ONNX Runtime")
    }
}

private fun OnnxBuilder.convolution(node: OnnxNode) {
    val x = value(node.input(0))
    val weight = constant(node.input(1))
    val groups = node.integer("group", 1)
    fit(node, x.shape.size == 4 && weight.shape.size == 4 && groups in 1..weight.shape[0], x.shape, weight.shape)
    val (outputs, depth, rows, columns) = weight.shape
    fit(node, outputs % groups == 0 && x.shape[1] == depth * groups && x.shape[0] == 1, x.shape, weight.shape)
    val sliding = Sliding.read(node, listOf(rows, columns))
    val sizes = Sizes(x.shape[1], x.shape[2], x.shape[3])
    val made = sliding.output(sizes)
    fit(node, made.rows >= 1 && made.columns >= 1, x.shape, weight.shape)
    val scale = targetScale(node)
    val each = outputs / groups
    val affine = affine(weight, 0, node.optional(2), x.scale / scale, 1.0 / scale) { flat ->
        // (outputs, depth, rows, columns) to (groups, rows, columns, depth, outputs of a group).
        val tap = flat % (rows * columns)
        val channel = flat / (rows * columns) % depth
        val output = flat / (rows * columns * depth)
        ((output / each * rows * columns + tap) * depth + channel) * each + output % each
    }
    val shape = listOf(1, outputs, made.rows, made.columns)
    val data = program.allocate(shape)
    program.add(elements(shape) * depth * rows * columns, Convolution(x.data, sizes, sliding, groups, affine, data))
    define(node, Value(shape, data, scale = scale))
}

private fun OnnxBuilder.matrix(node: OnnxNode) {
    val x = value(node.input(0))
    if (node.operator == "MatMul" && !isConstant(node.input(1))) return computedMatrix(node, x, value(node.input(1)))
    val weight = constant(node.input(1))
    val transposed = node.integer("transB", 0) != 0
    fit(node, weight.shape.size == 2 && node.integer("transA", 0) == 0, x.shape, weight.shape)
    val (depth, outputs) = if (transposed) weight.shape.reversed() else weight.shape
    fit(node, inRows(x.shape) && x.shape.last() == depth, x.shape, weight.shape)
    val scale = targetScale(node)
    val factor = node.number("alpha", 1.0) * x.scale / scale
    val affine = affine(weight, if (transposed) 0 else 1, node.optional(2), factor, node.number("beta", 1.0) / scale) { flat ->
        if (transposed) flat % depth * outputs + flat / depth else flat
    }
    val shape = x.shape.dropLast(1) + outputs
    val data = program.allocate(shape)
    program.add(elements(shape) * depth, MatrixProduct(x.data, affine, data))
    define(node, Value(shape, data, scale = scale))
}

private fun OnnxBuilder.computedMatrix(node: OnnxNode, x: Value, y: Value) {
    fit(node, inRows(x.shape) && inRows(y.shape) && x.shape.size == y.shape.size, x.shape, y.shape)
    val (depth, width) = y.shape.takeLast(2)
    fit(node, x.shape.last() == depth && y.data.size == depth * width, x.shape, y.shape)
    val shape = x.shape.dropLast(1) + width
    val data = program.allocate(shape)
    program.add(elements(shape) * depth, ComputedProduct(x.data, y.data, width, data))
    define(node, Value(shape, data, scale = x.scale * y.scale))
}

/** Whether the last axis lies in memory without gaps: not where several channels do. */
private fun inRows(shape: List<Int>): Boolean = shape.size in 2..3 || shape.size == 4 && shape[1] == 1

/** Lays out weights; [place] says where each stored one goes. */
private fun OnnxBuilder.affine(weight: Constant, axis: Int, bias: String?, factor: Double, biasFactor: Double, place: (Int) -> Int): Affine {
    val outputs = weight.shape[axis]
    val matrix = program.allocate(weight.shape)
    for (flat in matrix.indices) matrix[place(flat)] = weight.centred(flat).toFloat()
    val offsets = bias?.let { constant(it) }
    if (offsets != null && offsets.tensor.size !in setOf(1, outputs)) throw ArtifactException("${offsets.tensor.size} biases for $outputs outputs")
    return Affine(
        matrix,
        FloatArray(outputs) { (factor * weight.scale(it, axis)).toFloat() },
        FloatArray(outputs) { output -> offsets?.let { (it.real(if (it.tensor.size == 1) 0 else output) * biasFactor).toFloat() } ?: 0f },
    )
}

private fun OnnxBuilder.pool(node: OnnxNode) {
    val greatest = node.operator == "MaxPool"
    val x = if (greatest) stored(node.input(0)) else value(node.input(0))
    val kernel = node.integers("kernel_shape", emptyList())
    val sliding = Sliding.read(node, kernel)
    fit(node, x.shape.size == 4 && x.shape[0] == 1, x.shape)
    val sizes = Sizes(x.shape[1], x.shape[2], x.shape[3])
    val made = sliding.output(sizes)
    fit(node, made.rows >= 1 && made.columns >= 1, x.shape)
    val shape = listOf(1, sizes.channels, made.rows, made.columns)
    val data = program.allocate(shape)
    val countPadding = node.integer("count_include_pad", 0) != 0
    program.add(elements(shape) * kernel[0] * kernel[1], Pool(x.data, sizes, sliding, greatest, countPadding, data))
    define(node, x.copy(shape = shape, data = data, owned = true, levels = if (greatest) x.levels else null))
}

private fun OnnxBuilder.reduce(node: OnnxNode) {
    val x = value(node.input(0))
    val rank = x.shape.size
    val global = node.operator.startsWith("Global")
    val axes = if (global) (2 until rank).toSet() else axes(node, rank) ?: emptySet()
    fit(node, axes.isNotEmpty(), x.shape)
    val kept = x.shape.mapIndexed { axis, size -> if (axis in axes) 1 else size }
    val shape = if (global || node.integer("keepdims", 1) != 0) kept else x.shape.filterIndexed { axis, _ -> axis !in axes }
    val data = program.allocate(shape)
    val greatest = node.operator.endsWith("Max") || node.operator == "GlobalMaxPool"
    val count = elements(x.shape) / elements(shape)
    val factor = if (greatest || node.operator == "ReduceSum") 1f else 1f / count
    val to = program.mapping(x.shape) { flat -> place(shape, project(flat, x.shape, kept)) }
    program.add(elements(x.shape), Reduce(x.data, to, greatest, factor, data))
    define(node, Value(shape, data, scale = x.scale))
}

private fun OnnxBuilder.batchNorm(node: OnnxNode) {
    val x = value(node.input(0))
    val (gamma, beta, mean, variance) = (1..4).map { constant(node.input(it)) }
    val channels = x.shape.getOrElse(1) { 0 }
    fit(node, x.shape.size in listOf(2, 4) && listOf(gamma, beta, mean, variance).all { it.shape == listOf(channels) }, x.shape)
    val epsilon = node.number("epsilon", 1e-5)
    val factor = DoubleArray(channels) { gamma.real(it) / sqrt(variance.real(it) + epsilon) }
    val data = target(node, x)
    val step = ScaleChannels(
        x.data,
        FloatArray(channels) { (factor[it] * x.scale).toFloat() },
        FloatArray(channels) { (beta.real(it) - mean.real(it) * factor[it]).toFloat() },
        data,
    )
    program.add(elements(x.shape), step)
    define(node, Value(x.shape, data))
}

private fun OnnxBuilder.clip(node: OnnxNode) {
    val x = stored(node.input(0))
    val bounds = (1..2).map { index -> node.optional(index)?.let { constant(it).real(0) } }
    // Of a quantised tensor, which some graphs clip between its two nodes, count as stored.
    val zero = x.zeroPoint ?: 0.0
    val low = ((if (node.operator == "Relu") 0.0 else bounds[0] ?: Double.NEGATIVE_INFINITY) - zero) / x.scale
    val high = ((bounds[1] ?: Double.POSITIVE_INFINITY) - zero) / x.scale
    val data = target(node, x)
    program.add(elements(x.shape), Clip(x.data, low.toFloat(), high.toFloat(), data))
    val whole = listOf(low, high).all { it.isInfinite() || it == Math.rint(it) }
    val levels = x.levels?.takeIf { whole }?.let { maxOf(low, it.start)..minOf(high, it.endInclusive) }
    define(node, x.copy(data = data, owned = true, levels = levels))
}

private fun OnnxBuilder.activation(node: OnnxNode, curve: Curve) {
    val x = plain(node.input(0))
    val data = program.allocate(x.shape)
    program.add(elements(x.shape), Apply(x.data, curve, data))
    define(node, Value(x.shape, data))
}

private fun OnnxBuilder.softmax(node: OnnxNode) {
    val x = value(node.input(0))
    val axis = node.integer("axis", -1)
    fit(node, x.shape.size == 2 && x.shape[0] == 1 && axis in listOf(-1, 1), x.shape)
    val data = program.allocate(x.shape)
    program.add(elements(x.shape), Softmax(x.data, x.scale.toFloat(), data))
    define(node, Value(x.shape, data))
}

private fun OnnxBuilder.sum(node: OnnxNode) {
    val x = value(node.input(0))
    val y = value(node.input(1))
    val shape = broadcastShape(node, x.shape, y.shape)
    val sign = if (node.operator == "Sub") -1.0 else 1.0
    val data = if (x.shape == shape) target(node, x) else program.allocate(shape)
    program.add(elements(shape), Add(broadcast(x, shape), broadcast(y, shape), (sign * y.scale / x.scale).toFloat(), data))
    define(node, Value(shape, data, scale = x.scale))
}

private fun OnnxBuilder.product(node: OnnxNode) {
    val x = value(node.input(0))
    val y = value(node.input(1))
    val shape = broadcastShape(node, x.shape, y.shape)
    val data = if (x.shape == shape) target(node, x) else program.allocate(shape)
    val left = broadcast(x, shape)
    val right = broadcast(y, shape)
    if (node.operator == "Div") {
        program.add(elements(shape), Divide(left, right, data))
        define(node, Value(shape, data, scale = x.scale / y.scale))
    } else {
        program.add(elements(shape), Multiply(left, right, data))
        define(node, Value(shape, data, scale = x.scale * y.scale))
    }
}

/** @throws ArtifactException unless a node's inputs fit it. */
internal fun fit(node: OnnxNode, fits: Boolean, vararg shapes: List<Int>) {
    if (!fits) throw ArtifactException("$node: its inputs ${shapes.joinToString()} do not fit")
}
