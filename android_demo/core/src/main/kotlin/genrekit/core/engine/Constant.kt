package genrekit.core.engine

import genrekit.core.ArtifactException
import genrekit.core.EngineException

/**
 * real = scale * (stored - zero point), one number each or one per slice along [axis].
 *
 * @throws ArtifactException if the two do not fit together, or a scale is not above 0 and finite.
 */
internal class Quantisation(val scale: DoubleArray, val zeroPoint: DoubleArray, val axis: Int) {
    init {
        if (scale.isEmpty() || scale.size != zeroPoint.size) throw ArtifactException("${scale.size} scales, ${zeroPoint.size} zero points")
        if (scale.any { !(it > 0.0 && it < Double.POSITIVE_INFINITY) }) throw ArtifactException("a scale must be above 0 and finite")
    }

    /**
     * How an activation that is stored as [element] is quantised, all of it alike.
     *
     * @throws EngineException if it is not.
     */
    fun ofActivation(element: Element): ActivationStep {
        val stored = element.levels
        if (scale.size != 1 || stored == null) throw EngineException("activations are quantised per tensor to 8 or 16 bits only")
        return ActivationStep(scale[0], zeroPoint[0], stored.start - zeroPoint[0]..stored.endInclusive - zeroPoint[0])
    }
}

/** Scale and zero point of a whole tensor, and the least and greatest stored number less the zero point. */
internal class ActivationStep(val scale: Double, val zeroPoint: Double, val levels: ClosedFloatingPointRange<Double>)

/** A tensor that is known before the model runs, and what its numbers stand for. */
internal class Constant(val tensor: Tensor, val quantisation: Quantisation? = null) {
    val shape: List<Int> get() = tensor.shape

    private val sliced = quantisation != null && quantisation.scale.size > 1
    private val stride = if (sliced) elements(shape.drop(quantisation!!.axis + 1)).toInt() else 1

    init {
        if (sliced && shape.getOrNull(quantisation!!.axis) != quantisation.scale.size) {
            throw ArtifactException("${quantisation.scale.size} scales along axis ${quantisation.axis} of $shape")
        }
    }

    /** A stored number less its zero point. */
    fun centred(index: Int): Double = if (quantisation == null) tensor[index] else tensor[index] - quantisation.zeroPoint[slice(index)]

    /** The number that a stored one stands for. */
    fun real(index: Int): Double = if (quantisation == null) tensor[index] else centred(index) * quantisation.scale[slice(index)]

    /**
     * The scale of output [output] of weights whose outputs lie along [axis].
     *
     * @throws ArtifactException if they are quantised along another axis.
     */
    fun scale(output: Int, axis: Int): Double {
        if (quantisation == null) return 1.0
        if (!sliced) return quantisation.scale[0]
        if (quantisation.axis != axis) throw ArtifactException("weights are quantised along axis ${quantisation.axis}, their outputs lie along $axis")
        return quantisation.scale[output]
    }

    private fun slice(index: Int): Int = if (sliced) index / stride % quantisation!!.scale.size else 0
}
