package genrekit.demo

import android.content.res.Resources
import android.graphics.Typeface
import android.text.SpannableStringBuilder
import android.text.Spanned
import android.text.style.ForegroundColorSpan
import android.text.style.RelativeSizeSpan
import android.text.style.StyleSpan
import genrekit.core.Accuracy
import genrekit.core.Card
import genrekit.demo.state.Hearing
import genrekit.demo.state.ModelState
import genrekit.demo.state.UiState
import genrekit.demo.state.Work

/**
 * Longer texts made of a state.
 *
 * @param strong Colour of what stands out: numbers and headings.
 */
class Texts(private val resources: Resources, private val strong: Int) {

    fun waiting(work: Work): String =
        when (work) {
            is Work.Listening -> resources.getString(R.string.listening)
            is Work.Reading -> resources.getString(R.string.reading, work.song)
            else -> resources.getString(R.string.idle)
        }

    /** Four numbers, each with its caption: features, inference, both, and their share of real time. */
    fun latency(hearing: Hearing): List<CharSequence> =
        listOf(
            figure(R.string.milliseconds, hearing.featuresMs, R.string.features_caption),
            figure(R.string.milliseconds, hearing.inferenceMs, R.string.inference_caption),
            figure(R.string.milliseconds, hearing.totalMs, R.string.total_caption),
            figure(R.string.real_time, hearing.realTimeFactor, R.string.real_time_caption),
        )

    fun verification(state: UiState): CharSequence {
        val outcome = state.verification ?: return resources.getString(R.string.self_test_explained)
        val verdict = resources.getString(if (outcome.passed) R.string.verified else R.string.not_verified, outcome.engine)
        val text = SpannableStringBuilder().heading(verdict, 1.25f)
        for (check in outcome.checks) {
            text.append("\n\n").heading(resources.getString(if (check.passed) R.string.passed else R.string.failed, check.what))
            text.append("\n").append(resources.getString(R.string.check, check.difference, check.tolerance))
        }
        text.append("\n\n").heading(resources.getString(if (outcome.label == outcome.expectedLabel) R.string.passed else R.string.failed, resources.getString(R.string.label)))
        return text.append("\n").append(resources.getString(R.string.check_label, outcome.label, outcome.expectedLabel))
    }

    fun card(model: ModelState): CharSequence =
        when (model) {
            is ModelState.Ready -> card(model.card, model.engine, model.sizeBytes)
            is ModelState.Failed -> model.reason
            else -> ""
        }

    private fun card(card: Card, engine: String, sizeBytes: Int): CharSequence {
        val none = resources.getString(R.string.none)
        val facts = listOf(
            R.string.engine to engine,
            R.string.size to resources.getString(R.string.bytes, sizeBytes),
            R.string.genres to card.labels.joinToString(),
            R.string.feature to card.inputs.joinToString { it.feature },
            R.string.window to resources.getString(R.string.windowing, card.windowing.windowS, card.windowing.hopS),
            R.string.architecture to card.training.architecture,
            R.string.trained_on to card.training.data,
            R.string.accuracy to card.training.accuracy.joinToString("\n", transform = ::accuracy).ifEmpty { resources.getString(R.string.no_accuracy) },
            R.string.compression to card.compression.steps.joinToString().ifEmpty { none },
            R.string.intended_use to card.intendedUse,
            R.string.limits to card.limits,
            R.string.licence to card.licence,
            R.string.sha256 to card.modelSha256,
        )
        val text = SpannableStringBuilder().heading(card.name, 1.5f)
        for ((caption, value) in facts) text.append("\n\n").heading(resources.getString(caption)).append("\n").append(value)
        return text
    }

    private fun accuracy(accuracy: Accuracy): String =
        resources.getString(
            R.string.measured, accuracy.split, 100 * accuracy.accuracy, 100 * accuracy.ci95[0], 100 * accuracy.ci95[1], accuracy.n,
        )

    private fun figure(format: Int, value: Double, caption: Int): CharSequence =
        SpannableStringBuilder().heading(resources.getString(format, value), 1.5f).append("\n").append(resources.getString(caption))

    private fun SpannableStringBuilder.heading(text: String, size: Float = 1f): SpannableStringBuilder {
        val start = length
        append(text)
        for (span in listOf(StyleSpan(Typeface.BOLD), ForegroundColorSpan(strong), RelativeSizeSpan(size))) {
            setSpan(span, start, length, Spanned.SPAN_EXCLUSIVE_EXCLUSIVE)
        }
        return this
    }
}
