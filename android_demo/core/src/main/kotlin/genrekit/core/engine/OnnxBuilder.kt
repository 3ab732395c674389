package genrekit.core.engine

import genrekit.core.ArtifactException
import genrekit.core.Card
import genrekit.core.EngineException
import genrekit.core.represent

/**
 * An ONNX graph on its way to a program: its names, its constants, and its quantisation.
 *
 * QuantizeLinear and DequantizeLinear are followed exactly: an activation is rounded and clipped
 * where the graph says so.
 */
internal class OnnxBuilder(private val graph: OnnxGraph, private val card: Card) {
    val program = ProgramBuilder()

    private val constants = HashMap<String, Constant>()
    private val values = HashMap<String, Value>()
    private val uses = (graph.nodes.flatMap { it.inputs } + graph.outputs.keys).groupingBy { it }.eachCount()
    private val quantisers = graph.nodes.filter { it.operator == "QuantizeLinear" }.associateBy { it.input(0) }

    /**
     * Builds the program.
     *
     * @throws ArtifactException if the graph's parts do not fit together, or it is not what its card says.
     * @throws EngineException if it holds an operator, or a use of one, that is not known here.
     */
    fun build(): Program {
        checkNames()
        graph.initializers.mapValuesTo(constants) { Constant(it.value) }
        val inputs = card.inputs.map { spec ->
            val shape = listOf(1) + spec.shape
            program.allocate(shape).also { values[spec.name] = Value(shape, it) }
        }
        for (node in graph.nodes) {
            if (node.outputs.drop(1).any { it.isNotEmpty() }) throw EngineException("$node: a second output is not supported by the Kotlin engine")
            layer(node)
        }
        val output = plain(card.output)
        if (output.shape != listOf(1, card.labels.size)) {
            throw ArtifactException("${represent(card.output).take(80)} has shape ${output.shape}, its card has ${card.labels.size} labels")
        }
        return program.finish(inputs, output.data)
    }

    private fun checkNames() {
        val expected = card.inputs.map { it.name }.toSet()
        if (graph.inputs.keys != expected) throw ArtifactException("the model takes ${graph.inputs.keys.sorted().take(8)}, its card says ${expected.sorted()}")
        if (graph.outputs.keys != setOf(card.output)) throw ArtifactException("the model gives ${graph.outputs.keys.take(8)}, its card says [${card.output}]")
        for (spec in card.inputs) {
            val type = graph.inputs.getValue(spec.name)
            if (type.element != Element.FLOAT32.onnx || type.shape?.drop(1) != spec.shape) {
                throw ArtifactException("input ${represent(spec.name).take(80)} is declared ${type.shape} of element type ${type.element}, its card says float32 ${spec.shape}")
            }
        }
    }

    /** A tensor of real numbers or of quantised ones; one that is constant is laid out in memory. */
    fun stored(name: String): Value =
        values[name] ?: constants[name]?.let { constant ->
            val data = program.allocate(constant.shape)
            for (flat in data.indices) data[place(constant.shape, flat)] = constant.real(flat).toFloat()
            Value(constant.shape, data, owned = false)
        } ?: throw ArtifactException("tensor ${represent(name).take(80)} is not made before it is used")

    /** A tensor of real numbers. */
    fun value(name: String): Value {
        val value = stored(name)
        if (value.zeroPoint != null) throw EngineException("tensor ${represent(name).take(80)} is used before it is dequantised")
        return value
    }

    /** A tensor with scale 1. */
    fun plain(name: String): Value {
        val value = value(name)
        if (value.scale == 1.0) return value
        val data = program.allocate(value.shape)
        program.add(data.size.toLong(), Scale(value.data, value.scale.toFloat(), data))
        return Value(value.shape, data)
    }

    /** A tensor that must be known before the model runs. */
    fun constant(name: String): Constant =
        constants[name] ?: throw EngineException("tensor ${represent(name).take(80)} is computed: the Kotlin engine needs a constant")

    fun isConstant(name: String): Boolean = name in constants

    fun define(node: OnnxNode, constant: Constant) {
        checkNew(node)
        constants[node.outputs[0]] = constant
    }

    fun define(node: OnnxNode, value: Value) {
        checkNew(node)
        values[node.outputs[0]] = value
    }

    /** Defines a node's output as the data of its first input under another name, scale or shape. */
    fun alias(node: OnnxNode, value: Value) = define(node, value.copy(owned = value.owned && uses[node.input(0)] == 1))

    /** Where an elementwise layer writes: over its first input's data, if nothing else needs them. */
    fun target(node: OnnxNode, x: Value): FloatArray = if (x.owned && uses[node.input(0)] == 1) x.data else program.allocate(x.shape)

    /** The scale that a linear layer should give: its quantiser's, where that is all that follows. */
    fun targetScale(node: OnnxNode): Double {
        val quantiser = quantisers[node.outputs[0]] ?: return 1.0
        return if (uses[node.outputs[0]] == 1) step(quantiser).scale else 1.0
    }

    /** Builds a QuantizeLinear. */
    fun quantise(node: OnnxNode) {
        val x = value(node.input(0))
        val step = step(node)
        if (x.isWhole(step.scale, step.levels)) return alias(node, x.copy(scale = 1.0, zeroPoint = step.zeroPoint))
        val data = target(node, x)
        program.add(data.size.toLong(), Quantise(x.data, x.scale / step.scale, step.levels, data))
        define(node, Value(x.shape, data, levels = step.levels, zeroPoint = step.zeroPoint))
    }

    /** Builds a DequantizeLinear: of a computed tensor it only names the scale. */
    fun dequantise(node: OnnxNode) {
        val name = node.input(0)
        if (name in constants) return define(node, Constant(constants.getValue(name).tensor, quantisation(node)))
        val x = stored(name)
        val step = step(node)
        if (step.zeroPoint != x.zeroPoint) throw EngineException("$node: zero point ${step.zeroPoint}, it was quantised with ${x.zeroPoint}")
        alias(node, Value(x.shape, x.data, x.owned, step.scale, x.levels))
    }

    private fun checkNew(node: OnnxNode) {
        if (node.outputs[0] in values || node.outputs[0] in constants) throw ArtifactException("$node: its output is made twice")
    }

    private fun step(node: OnnxNode): ActivationStep =
        try {
            quantisation(node).ofActivation(node.optional(2)?.let { constant(it).tensor.element } ?: Element.UINT8)
        } catch (error: EngineException) {
            throw EngineException("$node: ${error.message}")
        }

    private fun quantisation(node: OnnxNode): Quantisation {
        if (node.integer("block_size", 0) != 0) throw EngineException("$node: quantised in blocks: not supported by the Kotlin engine")
        val scale = constant(node.input(1)).tensor
        val zeroPoint = node.optional(2)?.let { constant(it).tensor }
        return Quantisation(
            DoubleArray(scale.size) { scale[it] },
            DoubleArray(zeroPoint?.size ?: scale.size) { zeroPoint?.get(it) ?: 0.0 },
            node.integer("axis", 1),
        )
    }
}
