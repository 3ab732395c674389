package genrekit.core

import java.io.Closeable

/** A loaded model, whatever runs its graph. */
interface Engine : Closeable {
    /** The engine's own name, for people. */
    val name: String

    /**
     * Computes the logits of one window.
     *
     * @param inputs One tensor per input, in the card's order, without batch axis.
     * @return One logit per label.
     * @throws EngineException if the engine fails, or gives something else than the card says.
     */
    fun run(inputs: Array<FloatArray>): FloatArray
}

/**
 * Returns [logits] after checking them.
 *
 * @throws EngineException if there is not one per label, or one is not finite.
 */
fun checkLogits(logits: FloatArray, card: Card): FloatArray {
    if (logits.size != card.labels.size) {
        throw EngineException("output (${logits.size},), its card has ${card.labels.size} labels")
    }
    if (logits.any { it.isNaN() || it.isInfinite() }) throw EngineException("the model gave a value that is not finite")
    return logits
}
