package genrekit.demo

import android.media.AudioManager
import android.net.Uri
import android.os.Handler
import android.os.Looper
import genrekit.core.Artifact
import genrekit.core.AudioException
import genrekit.core.Engine
import genrekit.core.GenreClassifier
import genrekit.core.GenreKitException
import genrekit.core.WavReader
import genrekit.core.verify
import genrekit.demo.audio.Documents
import genrekit.demo.audio.Microphone
import genrekit.demo.state.Event
import genrekit.demo.state.Hearing
import genrekit.demo.state.LiveSession
import genrekit.demo.state.Page
import genrekit.demo.state.UiState
import genrekit.demo.state.Work
import genrekit.demo.state.reduce
import java.util.concurrent.Executors

/**
 * Holds the state and does the work, on one thread of its own; survives rotation.
 *
 * All methods are called on the main thread. Work checks [current] to learn that it was
 * stopped.
 */
class Presenter(private val store: ModelStore, private val documents: Documents, private val audio: AudioManager) {
    private val main = Handler(Looper.getMainLooper())
    private val worker = Executors.newSingleThreadExecutor()
    private var loaded: Pair<Artifact, Engine>? = null // touched by the worker alone
    private var lastId = 0

    @Volatile
    private var current = 0

    /** What the screen shows. */
    var state = UiState()
        private set

    /** Called on the main thread after every change. */
    var onChange: ((UiState) -> Unit)? = null

    /** Finds the models and chooses one: [preferred] if it is there. */
    fun start(preferred: String?) {
        val names = store.names()
        apply(Event.ModelsFound(names))
        names.firstOrNull { it == preferred }?.let(::choose) ?: names.firstOrNull()?.let(::choose)
    }

    fun choose(name: String) {
        stop()
        apply(Event.ModelChosen(name))
        worker.execute {
            loaded?.second?.close()
            loaded = null
            try {
                val artifact = store.read(name)
                val engine = store.load(artifact)
                loaded = artifact to engine
                post(Event.ModelLoaded(name, artifact.card, engine.name, artifact.size))
            } catch (error: GenreKitException) {
                post(Event.ModelFailed(name, error.message!!))
            }
        }
    }

    fun show(page: Page) = apply(Event.PageChosen(page))

    fun listen() = run({ Work.Listening(it) }) { id, artifact, engine ->
        Microphone(audio).use { microphone ->
            val session = LiveSession(artifact.card, engine, Microphone.SAMPLE_RATE) { post(Event.Heard(id, it)) }
            val block = ShortArray(BLOCK)
            var silenced = false
            var blocks = 0
            while (current == id) {
                session.push(block, microphone.read(block))
                if (blocks++ % BLOCKS_PER_LOOK == 0 && microphone.silenced != silenced) {
                    silenced = !silenced
                    post(Event.Silenced(id, silenced))
                }
            }
        }
    }

    fun read(uri: Uri) {
        val name = try {
            documents.name(uri)
        } catch (error: SecurityException) {
            return refused("the file may not be read: ${error.message}")
        }
        run({ Work.Reading(it, name) }) { id, artifact, engine ->
            documents.open(uri, name).use { song -> classify(id, artifact, engine, song) }
        }
    }

    fun selfTest() = run({ Work.Testing(it) }) { id, artifact, engine -> post(Event.Verified(id, verify(artifact, engine))) }

    fun refused(reason: String) = apply(Event.Refused(reason))

    fun denied(forever: Boolean) = apply(Event.PermissionDenied(forever))

    fun stop() {
        current = 0
        apply(Event.Stopped)
    }

    /** Stops the microphone, but not a song: the app has left the screen. */
    fun pause() {
        if (state.work is Work.Listening) stop()
    }

    /** The app ends. */
    fun close() {
        stop()
        onChange = null
        worker.execute { loaded?.second?.close() }
        worker.shutdown()
    }

    private fun classify(id: Int, artifact: Artifact, engine: Engine, song: WavReader) {
        val result = GenreClassifier(artifact, engine).classify(StoppableSource(song) { current == id })
        val windows = maxOf(1, result.segments.size)
        val latency = result.latency
        post(
            Event.Heard(
                id,
                Hearing(
                    ranking = result.ranking,
                    timeline = result.segments.takeLast(TIMELINE_WINDOWS),
                    audioS = result.durationS,
                    featuresMs = latency.featuresMs / windows,
                    inferenceMs = latency.inferenceMs / windows,
                    computeMs = latency.totalMs,
                ),
            ),
        )
    }

    private fun run(work: (Int) -> Work, body: (Int, Artifact, Engine) -> Unit) {
        if (!state.canStart) return
        val id = ++lastId
        current = id
        apply(Event.Started(work(id)))
        worker.execute {
            val reason = try {
                loaded?.let { (artifact, engine) -> if (current == id) body(id, artifact, engine) }
                null
            } catch (error: GenreKitException) {
                error.message
            }
            post(Event.Ended(id, reason))
        }
    }

    private fun post(event: Event) {
        main.post { apply(event) }
    }

    private fun apply(event: Event) {
        state = reduce(state, event)
        onChange?.invoke(state)
    }

    private companion object {
        const val BLOCK = 2_048 // microphone samples, 46 ms
        const val BLOCKS_PER_LOOK = 10 // between looks at who has the microphone
        const val TIMELINE_WINDOWS = 60
    }
}

/** A song that ends early when nobody waits for it any more. */
private class StoppableSource(private val song: WavReader, private val wanted: () -> Boolean) : genrekit.core.AudioSource by song {
    override fun read(into: FloatArray, count: Int): Int {
        if (!wanted()) throw AudioException("stopped")
        return song.read(into, count)
    }
}
