package genrekit.core.engine

import genrekit.core.ArtifactException
import genrekit.core.represent
import java.nio.ByteBuffer

/**
 * Reads the graph of a .tflite model, without the schema's generated code and as
 * `genrekit.engines.graphs.tflite.graph`: the numbers below are positions of fields in schema.fbs.
 *
 * Several subgraphs (control flow), custom operators and buffers outside the flatbuffer are
 * refused.
 *
 * Reference: tensorflow/lite/schema/schema.fbs, version 3.
 */
internal class TfliteReader(model: ByteArray) {
    private val root = FlatTable.root(model)
    private val buffers: List<ByteBuffer?> = root.tables(4, MAX_TENSORS).map(::buffer)
    private var denseLeft = MAX_DENSE

    /** @throws ArtifactException if it is malformed, over the bounds, or holds what is refused. */
    fun read(): TfliteGraph {
        val subgraphs = root.tables(2, 1_000)
        if (subgraphs.size != 1) refuse("the model has ${subgraphs.size} subgraphs: control flow is refused")
        val codes = root.tables(1, 1_000).map(::operatorName)
        val subgraph = subgraphs[0]
        val tensors = subgraph.tables(0, MAX_TENSORS).map(::tensor)
        val graph = TfliteGraph(
            tensors,
            subgraph.tables(3, MAX_OPERATORS).map { operator(it, codes) },
            subgraph.ints(1, MAX_EDGES),
            subgraph.ints(2, MAX_EDGES),
        )
        val edges = graph.operators.flatMap { operator -> operator.inputs.filter { it != -1 } + operator.outputs }
        (edges + graph.inputs + graph.outputs).firstOrNull { it !in tensors.indices }?.let { refuse("tensor number $it of ${tensors.size} is used") }
        return graph
    }

    private fun operatorName(code: FlatTable): String {
        // The old field is one byte; newer operators stand in the new one, older in both.
        val number = maxOf(code.byte(0, 0), code.int(3, 0))
        if (number == CUSTOM) refuse("custom operator ${represent(code.text(1)).take(80)}: refused")
        return OPERATORS[number] ?: refuse("builtin operator $number: not one of the models that genrekit exports: refused")
    }

    private fun buffer(buffer: FlatTable): ByteBuffer? {
        if (buffer.long(1, 0) != 0L || buffer.long(2, 0) != 0L) refuse("a buffer lies outside the flatbuffer: refused")
        return buffer.bytes(0, 1)
    }

    private fun tensor(table: FlatTable): TfliteTensor {
        val name = table.text(3)
        val label = "tensor ${represent(name).take(80)}"
        val shape = table.ints(0, MAX_DIMENSIONS)
        val signature = table.ints(7, MAX_DIMENSIONS).ifEmpty { shape }
        val kind = table.byte(1, 0)
        val number = table.int(2, 0)
        val element = Element.values().firstOrNull { it.tflite == kind } ?: refuse("$label: element type $kind is refused")
        if (shape.any { it < 1 } || shape.fold(1.0) { product, size -> product * size } > MAX_ELEMENTS) refuse("$label: shape $shape is empty or over $MAX_ELEMENTS")
        if (signature.size != shape.size || signature.indices.any { signature[it] != shape[it] && (it > 0 || signature[it] != -1) }) {
            refuse("$label: its two shapes disagree, or a size is open")
        }
        if (table.byte(5, 0) != 0 || number !in 0 until maxOf(buffers.size, 1)) refuse("$label: is a variable, or has no buffer")
        val quantisation = table.table(4)?.let { quantisation(it, shape, label) }
        val constant = buffers.getOrNull(number)?.let { constant(it, element, shape, quantisation, table.table(6), label) }
        return TfliteTensor(name, element, shape, constant, quantisation)
    }

    private fun constant(content: ByteBuffer, element: Element, shape: List<Int>, quantisation: Quantisation?, sparsity: FlatTable?, label: String): Constant {
        if (sparsity == null) {
            val tensor = Tensor(element, shape, content)
            if (tensor.size.toLong() != elements(shape)) refuse("$label: ${tensor.size} values for shape $shape")
            return Constant(tensor, quantisation)
        }
        denseLeft -= elements(shape)
        if (denseLeft < 0) refuse("sparse tensors of over $MAX_DENSE elements")
        // What is left out is zero itself, whatever the zero point.
        val centred = quantisation?.let { Quantisation(it.scale, DoubleArray(it.scale.size), it.axis) }
        return Constant(Sparsity.read(sparsity).expand(Tensor(element, shape, content)), centred)
    }

    private fun quantisation(table: FlatTable, shape: List<Int>, label: String): Quantisation? {
        val scale = table.bytes(2, 4) ?: return null // only minimum and maximum were noted
        val zeroPoint = table.bytes(3, 8)
        val axis = table.int(6, 0)
        val count = scale.capacity() / 4
        if (count > MAX_SCALES || (zeroPoint != null && zeroPoint.capacity() / 8 != count) || (count > 1 && shape.getOrNull(axis) != count)) {
            refuse("$label: $count scales do not fit its shape")
        }
        val zeros = DoubleArray(count) { zeroPoint?.getLong(8 * it)?.toDouble() ?: 0.0 }
        if (zeros.any { Math.abs(it) > MAX_ZERO_POINT }) refuse("$label: a zero point is out of range")
        return Quantisation(DoubleArray(count) { scale.getFloat(4 * it).toDouble() }, zeros, if (count > 1) axis else 0)
    }

    private fun operator(table: FlatTable, codes: List<String>): TfliteOperator {
        val number = table.int(0, 0)
        val name = codes.getOrNull(number) ?: refuse("operator code $number of ${codes.size} is used")
        val kind = table.byte(3, 0)
        val options = table.table(4)
        var activation = 0
        var beta = 1f
        if (options != null && kind == FUSED[name]) {
            activation = options.byte(0, 0)
            if (name == "FULLY_CONNECTED" && options.byte(1, 0) != 0) refuse("FULLY_CONNECTED: shuffled weights are refused")
        }
        if (options != null && name == "SOFTMAX" && kind == SOFTMAX_OPTIONS) beta = options.float(0, 1f)
        val fused = Activation.values().firstOrNull { it.number == activation } ?: refuse("$name: fused activation $activation is refused")
        return TfliteOperator(name, table.ints(1, MAX_EDGES), table.ints(2, MAX_EDGES), fused, beta)
    }

    private fun refuse(reason: String): Nothing = throw ArtifactException(reason)

    private companion object {
        const val MAX_TENSORS = 2_000
        const val MAX_OPERATORS = 2_000
        const val MAX_EDGES = 64 // of one operator
        const val MAX_SCALES = 4_096 // of one tensor
        const val MAX_ELEMENTS = 1 shl 24 // of one tensor
        const val MAX_DENSE = 1L shl 22 // elements of all sparse tensors once they are dense
        const val MAX_ZERO_POINT = 32_768.0

        // BuiltinOperator, and the BuiltinOptions whose first field is a fused activation.
        val OPERATORS = mapOf(
            0 to "ADD", 6 to "DEQUANTIZE", 9 to "FULLY_CONNECTED", 14 to "LOGISTIC", 18 to "MUL", 19 to "RELU", 21 to "RELU6",
            22 to "RESHAPE", 25 to "SOFTMAX", 28 to "TANH", 41 to "SUB", 114 to "QUANTIZE", 124 to "DENSIFY",
        )
        const val CUSTOM = 32
        val FUSED = mapOf("FULLY_CONNECTED" to 8, "ADD" to 11, "MUL" to 21, "SUB" to 28)
        const val SOFTMAX_OPTIONS = 9
    }
}
