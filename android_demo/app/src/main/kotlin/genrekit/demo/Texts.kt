package genrekit.demo

import android.content.res.Resources
import genrekit.core.Accuracy
import genrekit.core.Card
import genrekit.demo.state.Hearing
import genrekit.demo.state.ModelState
import genrekit.demo.state.UiState
import genrekit.demo.state.Work

/** Longer texts made of a state. */
class Texts(private val resources: Resources) {

    fun waiting(work: Work): String =
        when (work) {
            is Work.Listening -> resources.getString(R.string.listening)
            is Work.Reading -> resources.getString(R.string.reading, work.song)
            else -> resources.getString(R.string.idle)
        }

    fun latency(hearing: Hearing): String =
        resources.getString(
            R.string.latency, hearing.featuresMs, hearing.inferenceMs, hearing.totalMs, hearing.realTimeFactor, hearing.audioS,
        )

    fun verification(state: UiState): String {
        val outcome = state.verification ?: return resources.getString(R.string.self_test_explained)
        val lines = outcome.checks.map { check ->
            val verdict = resources.getString(if (check.passed) R.string.passed else R.string.failed)
            resources.getString(R.string.check, check.what, verdict, check.difference, check.tolerance)
        }
        val label = resources.getString(R.string.check_label, outcome.label, outcome.expectedLabel)
        val verdict = resources.getString(if (outcome.passed) R.string.verified else R.string.not_verified, outcome.engine)
        return (listOf(verdict, "") + lines + label).joinToString("\n")
    }

    fun card(model: ModelState): String =
        when (model) {
            is ModelState.Ready -> card(model.card, model.engine, model.sizeBytes)
            is ModelState.Failed -> model.reason
            else -> ""
        }

    private fun card(card: Card, engine: String, sizeBytes: Int): String {
        val accuracy = card.training.accuracy.joinToString("\n", transform = ::accuracy).ifEmpty { resources.getString(R.string.no_accuracy) }
        val steps = card.compression.steps.joinToString().ifEmpty { resources.getString(R.string.none) }
        return resources.getString(
            R.string.card,
            card.name, engine, sizeBytes, card.labels.joinToString(), card.inputs.joinToString { it.feature },
            card.windowing.windowS, card.windowing.hopS, card.training.architecture, card.training.data, accuracy, steps,
            card.licence, card.intendedUse, card.limits, card.modelSha256,
        )
    }

    private fun accuracy(accuracy: Accuracy): String =
        resources.getString(
            R.string.accuracy, accuracy.split, 100 * accuracy.accuracy, 100 * accuracy.ci95[0], 100 * accuracy.ci95[1], accuracy.n,
        )
}
