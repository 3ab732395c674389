package genrekit.core.engine

/*
 * ONNX operators that move elements without computing: views, concatenation and broadcasting.
 * Each becomes one list of indices, made while the program is built.
 */

/** The shape of which both shapes are repeated parts. */
internal fun broadcastShape(node: OnnxNode, left: List<Int>, right: List<Int>): List<Int> {
    val rank = maxOf(left.size, right.size)
    val sizes = listOf(left, right).map { shape -> List(rank - shape.size) { 1 } + shape }
    return List(rank) { axis ->
        val (a, b) = sizes.map { it[axis] }
        fit(node, a == b || a == 1 || b == 1, left, right)
        maxOf(a, b)
    }
}

/** The data of a value repeated until it has [shape]. */
internal fun OnnxBuilder.broadcast(value: Value, shape: List<Int>): FloatArray {
    if (value.shape == shape) return value.data
    val padded = List(shape.size - value.shape.size) { 1 } + value.shape
    val from = program.mapping(shape) { flat -> place(value.shape, project(flat, shape, padded)) }
    val data = program.allocate(shape)
    program.add(elements(shape), Gather(value.data, from, data))
    return data
}

internal fun OnnxBuilder.concat(node: OnnxNode) {
    val parts = node.inputs.map { value(it) }
    val rank = parts[0].shape.size
    val axis = node.integer("axis", 0).let { if (it < 0) it + rank else it }
    fit(node, axis in 0 until rank && parts.all { it.shape.size == rank }, parts[0].shape)
    val shape = parts[0].shape.toMutableList().also { sizes -> sizes[axis] = parts.sumOf { it.shape[axis] } }
    fit(node, parts.all { part -> (0 until rank).all { it == axis || part.shape[it] == shape[it] } }, shape)
    val data = program.allocate(shape)
    val inner = elements(shape.drop(axis + 1)).toInt()
    var start = 0
    for (part in parts) {
        val run = part.shape[axis] * inner
        val before = start
        val to = program.mapping(part.shape) { flat -> place(shape, (flat / run * shape[axis] + before) * inner + flat % run) }
        program.add(elements(part.shape), Scatter(part.data, to, (part.scale / parts[0].scale).toFloat(), data))
        start += part.shape[axis]
    }
    define(node, Value(shape, data, scale = parts[0].scale))
}

/** Builds an operator that only renames or reorders axes. */
internal fun OnnxBuilder.move(node: OnnxNode) {
    val x = stored(node.input(0))
    val rank = x.shape.size
    val order = if (node.operator == "Transpose") node.integers("perm", (rank - 1 downTo 0).toList()) else (0 until rank).toList()
    fit(node, order.sorted() == (0 until rank).toList(), x.shape)
    val shape = if (node.operator == "Transpose") order.map { x.shape[it] } else movedShape(node, x.shape)
    fit(node, elements(shape) == elements(x.shape), x.shape, shape)
    val from = program.mapping(shape) { flat ->
        place(x.shape, if (node.operator == "Transpose") transposed(flat, shape, order, x.shape) else flat)
    }
    if (from.indices.all { from[it] == it }) return alias(node, x.copy(shape = shape))
    val data = program.allocate(shape)
    program.add(elements(shape), Gather(x.data, from, data))
    define(node, x.copy(shape = shape, data = data, owned = true))
}

private fun OnnxBuilder.movedShape(node: OnnxNode, given: List<Int>): List<Int> =
    when (node.operator) {
        "Flatten" -> {
            val axis = node.integer("axis", 1).let { if (it < 0) it + given.size else it }
            fit(node, axis in 0..given.size, given)
            listOf(elements(given.take(axis)).toInt(), elements(given.drop(axis)).toInt())
        }
        "Squeeze" -> {
            val axes = axes(node, given.size)
            given.filterIndexed { axis, size -> if (axes == null) size != 1 else axis !in axes }
        }
        "Unsqueeze" -> {
            val count = node.optional(1)?.let { constant(it).tensor.size } ?: node.integers("axes", emptyList()).size
            fit(node, given.size + count <= MAX_DIMENSIONS, given)
            val axes = axes(node, given.size + count) ?: emptySet()
            fit(node, axes.size == count, given)
            val sizes = given.iterator()
            List(given.size + count) { axis -> if (axis in axes) 1 else sizes.next() }
        }
        else -> {
            val asked = constant(node.input(1)).tensor.toInts()
            val sizes = asked.mapIndexed { axis, size -> if (size == 0 && node.integer("allowzero", 0) == 0) given.getOrElse(axis) { 0 } else size }
            val rest = sizes.filter { it != -1 }.fold(1.0) { product, size -> product * size }
            fit(node, sizes.all { it >= -1 } && sizes.count { it == -1 } <= 1 && rest in 1.0..elements(given).toDouble(), given, sizes)
            sizes.map { if (it == -1) (elements(given) / rest.toLong()).toInt() else it }
        }
    }

/** A node's axes, from its attribute or its second input; null where it has none. */
internal fun OnnxBuilder.axes(node: OnnxNode, rank: Int): Set<Int>? {
    val given = node.optional(1)?.let { constant(it).tensor.toInts() } ?: node.attributes["axes"]?.let { node.integers("axes", emptyList()) } ?: return null
    fit(node, given.all { it in -rank until rank }, given)
    return given.map { if (it < 0) it + rank else it }.toSet()
}

/** Row-major number, in [small], of the element that stands for element [flat] of [large]; axes of size 1 are shared. */
internal fun project(flat: Int, large: List<Int>, small: List<Int>): Int {
    var rest = flat
    var number = 0
    var stride = 1
    for (axis in large.indices.reversed()) {
        if (small[axis] != 1) number += rest % large[axis] * stride
        stride *= small[axis]
        rest /= large[axis]
    }
    return number
}

/** Row-major number, before a transposition, of the element that has number [flat] after it. */
private fun transposed(flat: Int, shape: List<Int>, order: List<Int>, before: List<Int>): Int {
    var rest = flat
    var number = 0
    for (axis in shape.indices.reversed()) {
        number += rest % shape[axis] * elements(before.drop(order[axis] + 1)).toInt()
        rest /= shape[axis]
    }
    return number
}
