package genrekit.demo

import genrekit.core.Artifact
import genrekit.core.Card
import genrekit.core.Score
import genrekit.core.Verification
import genrekit.demo.state.Event
import genrekit.demo.state.Hearing
import genrekit.demo.state.ModelState
import genrekit.demo.state.Notice
import genrekit.demo.state.Page
import genrekit.demo.state.UiState
import genrekit.demo.state.Work
import genrekit.demo.state.reduce
import java.io.File
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class ReducerTest {
    private val card: Card = Artifact.read(File(System.getProperty("genrekit.golden"), "tiny.onnx")).card
    private val hearing = Hearing(listOf(Score("jazz", 1.0)), emptyList(), 3.0, 2.0, 1.0, 30.0)
    private val ready = after(UiState(), Event.ModelsFound(listOf("a", "b")), Event.ModelChosen("a"), Event.ModelLoaded("a", card, "engine", 9))

    @Test
    fun `nothing can start before a model is ready`() {
        val loading = after(UiState(), Event.ModelChosen("a"))
        assertFalse(loading.canStart)
        assertEquals(Work.Idle, reduce(loading, Event.Started(Work.Listening(1))).work)
        assertTrue(ready.canStart)
    }

    @Test
    fun `a model that loads after another was chosen is ignored`() {
        val chosenAgain = after(UiState(), Event.ModelChosen("a"), Event.ModelChosen("b"))
        assertSame(chosenAgain, reduce(chosenAgain, Event.ModelLoaded("a", card, "engine", 9)))
        assertSame(chosenAgain, reduce(chosenAgain, Event.ModelFailed("a", "broken")))
    }

    @Test
    fun `choosing a model forgets what the last one heard and ends its work`() {
        val heard = after(ready, Event.Started(Work.Listening(1)), Event.Heard(1, hearing))
        val chosen = reduce(heard, Event.ModelChosen("b"))
        assertNull(chosen.hearing)
        assertEquals(Work.Idle, chosen.work)
        assertEquals(ModelState.Loading("b"), chosen.model)
    }

    @Test
    fun `only one thing runs at a time`() {
        val listening = reduce(ready, Event.Started(Work.Listening(1)))
        assertEquals(Work.Listening(1), reduce(listening, Event.Started(Work.Testing(2))).work)
    }

    @Test
    fun `windows are shown until it ends, and the last one stays`() {
        val ended = after(ready, Event.Started(Work.Reading(1, "song")), Event.Heard(1, hearing), Event.Ended(1))
        assertEquals(hearing, ended.hearing)
        assertEquals(Work.Idle, ended.work)
        assertNull(ended.notice)
    }

    @Test
    fun `events of stopped work change nothing`() {
        val stopped = after(ready, Event.Started(Work.Listening(1)), Event.Stopped)
        for (late in listOf(Event.Heard(1, hearing), Event.Ended(1, "broken"), Event.Silenced(1, true))) {
            assertSame(stopped, reduce(stopped, late))
        }
        val again = reduce(stopped, Event.Started(Work.Listening(2)))
        assertSame(again, reduce(again, Event.Ended(1, "stopped")))
    }

    @Test
    fun `a file that cannot be read is told and the app goes on`() {
        val failed = after(ready, Event.Started(Work.Reading(1, "x.mp3")), Event.Ended(1, "x.mp3: not a WAV file"))
        assertEquals(Notice.Failed("x.mp3: not a WAV file"), failed.notice)
        assertTrue(failed.canStart)
        assertNull(reduce(failed, Event.Started(Work.Listening(2))).notice)
    }

    @Test
    fun `a call silences the microphone and gives it back`() {
        val silenced = after(ready, Event.Started(Work.Listening(1)), Event.Silenced(1, true))
        assertEquals(Notice.MicrophoneSilenced, silenced.notice)
        assertEquals(Work.Listening(1), silenced.work)
        assertNull(reduce(silenced, Event.Silenced(1, false)).notice)
    }

    @Test
    fun `a denied microphone is told, and whether the settings must be used`() {
        assertEquals(Notice.MicrophoneDenied(true), reduce(ready, Event.PermissionDenied(true)).notice)
        assertTrue(reduce(ready, Event.PermissionDenied(false)).canStart)
    }

    @Test
    fun `the self-test shows its outcome and keeps what was heard`() {
        val outcome = Verification("engine", emptyList(), "jazz", "jazz")
        val heard = after(ready, Event.Started(Work.Listening(1)), Event.Heard(1, hearing), Event.Ended(1))
        val tested = after(heard, Event.PageChosen(Page.SELF_TEST), Event.Started(Work.Testing(2)), Event.Verified(2, outcome), Event.Ended(2))
        assertEquals(outcome, tested.verification)
        assertEquals(hearing, tested.hearing)
        assertEquals(Page.SELF_TEST, tested.page)
    }

    @Test
    fun `real-time factor is computing time over audio time`() {
        assertEquals(0.01, hearing.realTimeFactor, 1e-12)
        assertEquals(0.0, hearing.copy(audioS = 0.0).realTimeFactor)
        assertEquals(3.0, hearing.totalMs)
    }

    private fun after(state: UiState, vararg events: Event): UiState = events.fold(state, ::reduce)
}
