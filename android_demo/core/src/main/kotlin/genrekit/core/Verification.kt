package genrekit.core

import kotlin.math.abs

/** One comparison: the largest absolute difference against its bound. */
data class Check(val what: String, val difference: Double, val tolerance: Double) {
    val passed: Boolean get() = difference <= tolerance
}

/** Outcome of [verify]: one check per input, one for the logits, and the label. */
data class Verification(val engine: String, val checks: List<Check>, val label: String, val expectedLabel: String) {
    val passed: Boolean get() = checks.all(Check::passed) && label == expectedLabel
}

/**
 * Computes a card's inputs from one window of the reference signal.
 *
 * @throws ConfigException if the card's features and windows do not fit together.
 */
fun referenceInputs(card: Card): Array<FloatArray> {
    var first: Array<FloatArray>? = null
    val stream = CardStream(card) { inputs -> if (first == null) first = Array(inputs.size) { inputs[it].copyOf() } }
    val samples = ReferenceSignal.make(card.windowSamples, card.features.sampleRate)
    stream.push(samples, samples.size)
    stream.flush()
    return first ?: throw ConfigException("the card's windows never fill: its features and windowing disagree")
}

/**
 * Computes the reference on this machine and compares it with the card.
 *
 * @param engine The model of [artifact], loaded.
 * @throws ArtifactException if the card names another signal, or probes outside its inputs.
 * @throws EngineException if inference fails.
 */
fun verify(artifact: Artifact, engine: Engine): Verification {
    val card = artifact.card
    if (card.reference.signal != ReferenceSignal.NAME) {
        throw ArtifactException(
            "${artifact.name}: reference signal ${represent(card.reference.signal).take(60)} is unknown; " +
                "this genrekit makes '${ReferenceSignal.NAME}'",
        )
    }
    val inputs = referenceInputs(card)
    val checks = card.reference.probes.mapTo(ArrayList()) { probe -> check(artifact, probe, inputs) }
    val logits = engine.run(inputs)
    val expected = card.reference.logits.toDoubleArray()
    val difference = logits.indices.maxOf { abs(logits[it] - expected[it]) }
    checks.add(Check("logits", difference, card.reference.logitTolerance))
    val given = DoubleArray(logits.size) { logits[it].toDouble() }
    return Verification(engine.name, checks, card.labels[argmax(given)], card.labels[argmax(expected)])
}

private fun check(artifact: Artifact, probe: Probe, inputs: Array<FloatArray>): Check {
    val tensor = inputs.getOrNull(artifact.card.inputs.indexOfFirst { it.name == probe.input })
    if (tensor == null || probe.index.any { it !in tensor.indices }) {
        throw ArtifactException("${artifact.name}: a probe lies outside input ${represent(probe.input).take(40)}")
    }
    val difference = probe.index.indices.maxOf { abs(tensor[probe.index[it]] - probe.value[it]) }
    return Check("input ${probe.input}", difference, probe.tolerance)
}
