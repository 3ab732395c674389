package genrekit.core.engine

import genrekit.core.ArtifactException
import genrekit.core.ProtobufField
import genrekit.core.ProtobufWalk
import genrekit.core.represent
import java.io.ByteArrayOutputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.charset.CharacterCodingException

/**
 * Reads the graph of an .onnx model, without a protobuf library and as `genrekit.engines.graphs.onnx.graph`.
 *
 * Only plain graphs are read: one list of nodes over dense tensors whose data lie in the file
 * itself. Whatever could reach outside the file or hide a second program is refused, and so is a
 * message that protobuf would merge out of two parts.
 *
 * Reference: onnx/onnx.proto, field numbers and element types.
 */
internal class OnnxReader(private val data: ByteArray) {
    private var fieldsLeft = MAX_FIELDS

    /** @throws ArtifactException if it is malformed, over the bounds, or not a plain graph. */
    fun read(): OnnxGraph {
        var graph: ProtobufField? = null
        var opset = 0L
        each(0, data.size) { field ->
            when (field.number) {
                7 -> graph = once(graph, field, "graph")
                8 -> opset = opset(content(field)) ?: opset
                20, 25 -> refuse("the model holds functions or a training graph: refused")
            }
        }
        if (opset !in OPSETS) refuse("operator set $opset is not read: export with one of $OPSETS")
        return graph(graph ?: refuse("not an ONNX model: no graph"))
    }

    /** Version of the default operator set, if this is it. */
    private fun opset(message: ProtobufField): Long? {
        var domain = ""
        var version = 0L
        each(message) { field ->
            if (field.number == 1) domain = domain(field)
            if (field.number == 2) version = number(field)
        }
        return version.takeIf { domain.isEmpty() }
    }

    private fun graph(message: ProtobufField): OnnxGraph {
        val nodes = ArrayList<OnnxNode>()
        val initializers = HashMap<String, Tensor>()
        val declared = mapOf(11 to HashMap<String, TensorType>(), 12 to HashMap(), 13 to HashMap())
        each(message) { field ->
            when (field.number) {
                1 -> {
                    nodes.add(node(content(field)))
                    if (nodes.size > MAX_NODES) refuse("the graph has over $MAX_NODES nodes")
                }
                5 -> {
                    val (name, tensor) = tensor(content(field))
                    if (name.isEmpty() || initializers.put(name, tensor) != null) refuse("initializer ${represent(name)}: no name, or there are two of it")
                }
                11, 12, 13 -> {
                    val (name, type) = valueInfo(content(field))
                    if (declared.getValue(field.number).put(name, type) != null) refuse("tensor ${represent(name)} is declared twice")
                }
                15 -> refuse("sparse initializers are refused")
            }
        }
        // Before IR version 4 every initializer is also listed as an input.
        return OnnxGraph(nodes, initializers, declared.getValue(11) - initializers.keys, declared.getValue(12))
    }

    private fun node(message: ProtobufField): OnnxNode {
        var name = ""
        var operator = ""
        var domain = ""
        val inputs = ArrayList<String>()
        val outputs = ArrayList<String>()
        val attributes = HashMap<String, Any>()
        each(message) { field ->
            when (field.number) {
                1 -> inputs.add(text(field))
                2 -> outputs.add(text(field))
                3 -> name = text(field)
                4 -> operator = text(field)
                5 -> {
                    val (key, value) = attribute(content(field))
                    if (attributes.put(key, value) != null) refuse("attribute ${represent(key)} appears twice in one node")
                }
                7 -> domain = domain(field)
                8 -> if (text(field).isNotEmpty()) refuse("the model calls a function: refused")
            }
        }
        if (operator.isEmpty() || outputs.isEmpty()) refuse("a node has no operator or no output")
        val node = OnnxNode(name, operator, domain, inputs, outputs, attributes)
        if (domain.isNotEmpty()) refuse("$node: custom operator domain ${represent(domain).take(80)}: refused")
        return node
    }

    private fun attribute(message: ProtobufField): Pair<String, Any> {
        var name = ""
        var kind = 0L
        val single = HashMap<Long, Any>()
        var tensor: ProtobufField? = null
        val floats = ArrayList<Float>()
        val integers = ArrayList<Long>()
        each(message) { field ->
            when (field.number) {
                1 -> name = text(field)
                2 -> single[1] = floatBits(field)
                3 -> single[2] = number(field)
                4 -> single[3] = String(short(field), Charsets.ISO_8859_1)
                5 -> tensor = once(tensor, field, "attribute's tensor")
                7 -> appendFloats(field, floats)
                8 -> appendVarints(field, integers, MAX_LIST)
                9 -> short(field) // lists of strings have no use here
                13 -> Unit // documentation
                20 -> kind = number(field)
                else -> refuse("attribute ${represent(name)} holds a subgraph or no plain value")
            }
        }
        tensor?.let { single[4] = tensor(it).second } // read even if unused: it may be external
        single[6] = floats
        single[7] = integers
        return name to (single[kind] ?: refuse("attribute ${represent(name)} of type $kind has no value that is read"))
    }

    private fun tensor(message: ProtobufField): Pair<String, Tensor> {
        var name = ""
        var element = 0L
        val shape = ArrayList<Long>()
        var raw: ProtobufField? = null
        val typed = TypedData()
        each(message) { field ->
            when (field.number) {
                1 -> appendVarints(field, shape, MAX_DIMENSIONS)
                2 -> element = number(field)
                8 -> name = text(field)
                9 -> raw = once(raw, field, "tensor's data")
                4, 10 -> typed.appendFixed(field, if (field.number == 4) Element.FLOAT32 else Element.FLOAT64)
                5, 7 -> typed.appendIntegers(field)
                3, 6, 11 -> refuse("tensor ${represent(name)} is in segments or of a type that is not read: refused")
                13 -> refuse("tensor ${represent(name)} has its data in another file: refused; export the model as one file")
                14 -> if (number(field) != 0L) refuse("tensor ${represent(name)} has its data in another file: refused; export the model as one file")
            }
        }
        val kind = Element.values().firstOrNull { it.onnx.toLong() == element } ?: refuse("tensor ${represent(name)}: element type $element is not read")
        val sizes = sizes(shape)
        if (raw != null && !typed.isEmpty) refuse("tensor ${represent(name)} has raw data and typed data")
        val bytes = raw?.let { ByteBuffer.wrap(data, it.contentStart, it.end - it.contentStart) } ?: typed.bytes(kind)
        val tensor = Tensor(kind, sizes, bytes)
        if (tensor.size.toLong() != elements(sizes)) refuse("tensor ${represent(name)}: shape $sizes holds ${elements(sizes)} values, its data ${tensor.size}")
        return name to tensor
    }

    private fun sizes(shape: List<Long>): List<Int> {
        if (shape.size > MAX_DIMENSIONS || shape.any { it !in 0..MAX_SIZE }) refuse("shape ${shape.take(9)}: at most $MAX_DIMENSIONS sizes, none below 0 or over $MAX_SIZE")
        val sizes = shape.map(Long::toInt)
        if (sizes.fold(1.0) { product, size -> product * size } > MAX_SIZE) refuse("shape $sizes is over $MAX_SIZE values")
        return sizes
    }

    private fun valueInfo(message: ProtobufField): Pair<String, TensorType> {
        var name = ""
        var type: ProtobufField? = null
        each(message) { field ->
            if (field.number == 1) name = text(field)
            if (field.number == 2) type = once(type, field, "type")
        }
        var tensor: ProtobufField? = null
        type?.let {
            each(it) { field ->
                if (field.number == 1) tensor = once(tensor, field, "tensor type")
                else if (field.number != 6) refuse("${represent(name)} is no dense tensor (sequence, map, optional)")
            }
        }
        return name to tensorType(tensor ?: refuse("value ${represent(name)} has no tensor type"))
    }

    private fun tensorType(message: ProtobufField): TensorType {
        var element = 0L
        var shape: ProtobufField? = null
        each(message) { field ->
            if (field.number == 1) element = number(field)
            if (field.number == 2) shape = once(shape, field, "shape")
        }
        val sizes = shape?.let { axes ->
            ArrayList<Int?>().also { found -> each(axes) { axis -> if (axis.number == 1) found.add(axisSize(content(axis))) } }
        }
        if (sizes != null && sizes.size > MAX_DIMENSIONS) refuse("a tensor of ${sizes.size} dimensions, over $MAX_DIMENSIONS")
        return TensorType(element.coerceIn(0, 99).toInt(), sizes)
    }

    private fun axisSize(message: ProtobufField): Int? {
        var size: Int? = null
        each(message) { field -> if (field.number == 1) size = number(field).takeIf { it in 1..MAX_SIZE }?.toInt() }
        return size
    }

    private inline fun each(start: Int, end: Int, take: (ProtobufField) -> Unit) {
        val walk = ProtobufWalk(data, start, end)
        while (true) {
            val field = walk.next() ?: return
            if (--fieldsLeft < 0) refuse("the model has over $MAX_FIELDS fields")
            take(field)
        }
    }

    private inline fun each(message: ProtobufField, take: (ProtobufField) -> Unit) = each(message.contentStart, message.end, take)

    private fun content(field: ProtobufField): ProtobufField = if (field.contentStart < 0) refuse("a number where a message belongs") else field

    /** Returns [field] unless there was one before, which protobuf would merge. */
    private fun once(before: ProtobufField?, field: ProtobufField, what: String): ProtobufField =
        if (before != null) refuse("$what: there are two of it") else content(field)

    private fun number(field: ProtobufField): Long = if (field.contentStart >= 0) refuse("a message where a number belongs") else field.value

    private fun floatBits(field: ProtobufField): Float = java.lang.Float.intBitsToFloat(number(field).toInt())

    private fun short(field: ProtobufField): ByteArray {
        val size = content(field).end - field.contentStart
        if (size > MAX_NAME_BYTES) refuse("a name of $size bytes, over $MAX_NAME_BYTES")
        return data.copyOfRange(field.contentStart, field.end)
    }

    private fun text(field: ProtobufField): String =
        try {
            Charsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(short(field))).toString()
        } catch (_: CharacterCodingException) {
            refuse("a name is not UTF-8")
        }

    /** An operator domain; the default one has two names. */
    private fun domain(field: ProtobufField): String = text(field).let { if (it == "ai.onnx") "" else it }

    private fun appendFloats(field: ProtobufField, into: MutableList<Float>) {
        if (field.contentStart < 0) {
            into.add(floatBits(field))
        } else {
            val size = field.end - field.contentStart
            if (size % 4 != 0) refuse("a list of floats of $size bytes")
            if (size / 4 > MAX_LIST) refuse("a list of ${size / 4}, over $MAX_LIST")
            val bytes = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN)
            for (at in field.contentStart until field.end step 4) into.add(bytes.getFloat(at))
        }
        if (into.size > MAX_LIST) refuse("a list of ${into.size}, over $MAX_LIST")
    }

    /** Reads one value of a repeated integer field: a number, or a packed run of them. */
    private fun appendVarints(field: ProtobufField, into: MutableList<Long>, limit: Int) {
        if (field.contentStart < 0) {
            into.add(field.value)
        } else {
            val walk = ProtobufWalk(data, field.contentStart, field.end)
            while (walk.hasNext && into.size <= limit) into.add(walk.varint())
        }
        if (into.size > limit) refuse("a list of over $limit integers: store large ones as raw_data")
    }

    private fun refuse(reason: String): Nothing = throw ArtifactException(reason)

    /** Data of a tensor that are not raw: fixed-width floats, or integers as varints. */
    private inner class TypedData {
        private val integers = ArrayList<Long>()
        private val fixed = ByteArrayOutputStream()
        private var width: Element? = null

        val isEmpty: Boolean get() = integers.isEmpty() && fixed.size() == 0

        fun appendIntegers(field: ProtobufField) = appendVarints(field, integers, MAX_TYPED)

        fun appendFixed(field: ProtobufField, element: Element) {
            width = element
            if (field.contentStart >= 0) {
                fixed.write(data, field.contentStart, field.end - field.contentStart)
            } else {
                for (byte in 0 until element.width) fixed.write((field.value ushr 8 * byte).toInt())
            }
        }

        fun bytes(element: Element): ByteBuffer {
            val floats = element == Element.FLOAT32 || element == Element.FLOAT64
            if (!isEmpty && (if (floats) width != element || integers.isNotEmpty() else width != null)) refuse("a tensor's data are not of its element type")
            if (floats) return ByteBuffer.wrap(fixed.toByteArray())
            val stored = ByteArray(integers.size * element.width)
            for (i in integers.indices) for (byte in 0 until element.width) stored[i * element.width + byte] = (integers[i] ushr 8 * byte).toByte()
            return ByteBuffer.wrap(stored)
        }
    }

    private companion object {
        val OPSETS = 13L..24L // whose operators mean what the layers here compute
        const val MAX_FIELDS = 100_000 // ResNet18 in QDQ form has 5 000
        const val MAX_NODES = 10_000
        const val MAX_NAME_BYTES = 1_024
        const val MAX_LIST = 4_096 // values of one attribute
        const val MAX_TYPED = 1 shl 18 // integers that are not raw; exporters write large tensors raw
        const val MAX_SIZE = 1L shl 28
    }
}
