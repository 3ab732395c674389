package genrekit.demo

import android.app.Activity
import android.view.View
import android.widget.ArrayAdapter
import android.widget.Button
import android.widget.ProgressBar
import android.widget.Spinner
import android.widget.TextView
import genrekit.demo.state.ModelState
import genrekit.demo.state.Notice
import genrekit.demo.state.Page
import genrekit.demo.state.UiState
import genrekit.demo.state.Work
import genrekit.demo.view.BarsView
import genrekit.demo.view.GenreColors
import genrekit.demo.view.TimelineView

/** Shows a state in the activity's views, and nothing else. */
class Screen(private val activity: Activity) {
    val models: Spinner = activity.findViewById(R.id.models)
    val microphone: Button = activity.findViewById(R.id.microphone)
    val open: Button = activity.findViewById(R.id.open)
    val selfTest: Button = activity.findViewById(R.id.self_test)
    val pages: Map<Page, Button> = mapOf(
        Page.LISTEN to activity.findViewById(R.id.page_listen),
        Page.SELF_TEST to activity.findViewById(R.id.page_self_test),
        Page.ABOUT to activity.findViewById(R.id.page_about),
    )
    private val contents: Map<Page, View> = mapOf(
        Page.LISTEN to activity.findViewById(R.id.listen),
        Page.SELF_TEST to activity.findViewById(R.id.verification),
        Page.ABOUT to activity.findViewById(R.id.about),
    )
    private val notice: TextView = activity.findViewById(R.id.notice)
    private val progress: ProgressBar = activity.findViewById(R.id.progress)
    private val genre: TextView = activity.findViewById(R.id.genre)
    private val bars: BarsView = activity.findViewById(R.id.bars)
    private val timeline: TimelineView = activity.findViewById(R.id.timeline)
    private val hint: View = activity.findViewById(R.id.hint)
    private val latency: View = activity.findViewById(R.id.latency)
    private val figures: List<TextView> =
        listOf(R.id.features_ms, R.id.inference_ms, R.id.total_ms, R.id.real_time).map { activity.findViewById(it) }
    private val checks: TextView = activity.findViewById(R.id.checks)
    private val card: TextView = activity.findViewById(R.id.card)
    private val texts = Texts(activity.resources, activity.getColor(R.color.text))
    private var labels: List<String> = emptyList()

    fun show(state: UiState) {
        showModels(state)
        showPage(state)
        showNotice(state)
        showWork(state)
        showHearing(state)
        checks.text = texts.verification(state)
        card.text = texts.card(state.model)
    }

    private fun showModels(state: UiState) {
        if (models.adapter == null || models.adapter.count != state.models.size) {
            models.adapter = ArrayAdapter(activity, android.R.layout.simple_spinner_dropdown_item, state.models)
        }
        val name = when (val model = state.model) {
            ModelState.None -> return
            is ModelState.Loading -> model.name
            is ModelState.Ready -> model.name
            is ModelState.Failed -> model.name
        }
        if (models.selectedItem != name) models.setSelection(state.models.indexOf(name))
    }

    private fun showPage(state: UiState) {
        for ((page, content) in contents) content.visibility = if (page == state.page) View.VISIBLE else View.GONE
        for ((page, button) in pages) button.isSelected = page == state.page
    }

    private fun showNotice(state: UiState) {
        val failed = state.model as? ModelState.Failed
        val message = failed?.reason ?: when (val notice = state.notice) {
            null -> ""
            is Notice.MicrophoneDenied -> activity.getString(if (notice.forever) R.string.denied_forever else R.string.denied)
            Notice.MicrophoneSilenced -> activity.getString(R.string.silenced)
            is Notice.Failed -> notice.reason
        }
        // Set only when it changes: TalkBack reads every change aloud.
        if (notice.text.toString() != message) notice.text = message
        notice.visibility = if (message.isEmpty()) View.GONE else View.VISIBLE
    }

    private fun showWork(state: UiState) {
        val listening = state.work is Work.Listening
        microphone.setText(if (listening) R.string.stop else R.string.start)
        microphone.isEnabled = listening || state.canStart
        open.isEnabled = state.canStart
        selfTest.isEnabled = state.canStart
        val busy = state.model is ModelState.Loading || state.work is Work.Reading || state.work is Work.Testing
        progress.visibility = if (busy) View.VISIBLE else View.INVISIBLE
    }

    private fun showHearing(state: UiState) {
        val hearing = state.hearing
        genre.text = hearing?.ranking?.first()?.label ?: texts.waiting(state.work)
        hint.visibility = if (hearing == null) View.VISIBLE else View.GONE
        latency.visibility = if (hearing == null) View.GONE else View.VISIBLE
        showColors((state.model as? ModelState.Ready)?.card?.labels.orEmpty())
        bars.scores = hearing?.ranking.orEmpty()
        timeline.segments = hearing?.timeline.orEmpty()
        hearing?.let(texts::latency)?.forEachIndexed { index, figure -> figures[index].text = figure }
    }

    private fun showColors(labels: List<String>) {
        if (labels == this.labels) return
        this.labels = labels
        bars.colors = GenreColors(labels)
        timeline.colors = bars.colors
    }
}
