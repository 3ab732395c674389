package genrekit.demo.state

import genrekit.core.Card
import genrekit.core.Verification

/** Everything that the screen shows; a new value for every change. */
data class UiState(
    val models: List<String> = emptyList(),
    val model: ModelState = ModelState.None,
    val page: Page = Page.LISTEN,
    val work: Work = Work.Idle,
    val hearing: Hearing? = null,
    val verification: Verification? = null,
    val notice: Notice? = null,
) {
    /** Whether a model is ready and nothing is running. */
    val canStart: Boolean get() = model is ModelState.Ready && work == Work.Idle
}

/** Which page is shown. */
enum class Page { LISTEN, SELF_TEST, ABOUT }

/** What became of the chosen model. */
sealed interface ModelState {
    object None : ModelState

    data class Loading(val name: String) : ModelState

    /** @property sizeBytes Of the whole file. */
    data class Ready(val name: String, val card: Card, val engine: String, val sizeBytes: Int) : ModelState

    data class Failed(val name: String, val reason: String) : ModelState
}

/** What runs now. [id] tells its events from those of work that was stopped. */
sealed interface Work {
    object Idle : Work

    data class Listening(val id: Int) : Work

    data class Reading(val id: Int, val song: String) : Work

    data class Testing(val id: Int) : Work
}

/** A message to the user, shown until the next action. */
sealed interface Notice {
    /** The microphone may not be used; [forever] if asking again would not show a dialog. */
    data class MicrophoneDenied(val forever: Boolean) : Notice

    /** Another app (a call) took the microphone: silence arrives. */
    object MicrophoneSilenced : Notice

    /** A sentence from the core or the system. */
    data class Failed(val reason: String) : Notice
}
