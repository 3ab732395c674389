package genrekit.demo.state

import genrekit.core.Card
import genrekit.core.Verification

/** Something that happened; [reduce] says what it means. */
sealed interface Event {
    data class ModelsFound(val names: List<String>) : Event

    data class ModelChosen(val name: String) : Event

    data class ModelLoaded(val name: String, val card: Card, val engine: String, val sizeBytes: Int) : Event

    data class ModelFailed(val name: String, val reason: String) : Event

    data class PageChosen(val page: Page) : Event

    data class Started(val work: Work) : Event

    data class Heard(val id: Int, val hearing: Hearing) : Event

    data class Silenced(val id: Int, val silenced: Boolean) : Event

    data class Verified(val id: Int, val verification: Verification) : Event

    /** Work ended; [reason] is null unless it failed. */
    data class Ended(val id: Int, val reason: String? = null) : Event

    /** The user stopped it, or the app left the screen. */
    object Stopped : Event

    data class PermissionDenied(val forever: Boolean) : Event

    /** A file could not even be opened. */
    data class Refused(val reason: String) : Event
}
