package genrekit.demo

import android.Manifest
import android.app.Activity
import android.app.Application
import android.content.Intent
import android.content.pm.PackageManager
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.net.Uri
import android.os.Looper
import android.view.View
import android.widget.Button
import android.widget.Spinner
import android.widget.TextView
import genrekit.core.ReferenceSignal
import genrekit.demo.audio.Microphone
import genrekit.demo.view.BarsView
import genrekit.demo.view.TimelineView
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.robolectric.shadows.ShadowAudioRecord

/** The real activity, layout, model and inference, on a JVM; its pictures are the README's. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [34], qualifiers = "w360dp-h720dp-xhdpi")
class ScreenTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val controller: ActivityController<MainActivity> = Robolectric.buildActivity(MainActivity::class.java)
    private val activity: MainActivity get() = controller.get()

    @Before
    fun open() {
        controller.setup()
        waitFor("a model") { button(R.id.open).isEnabled }
    }

    @Test
    fun `a song is named, with bars, timeline and latency`() {
        openSong(song(20))
        waitFor("a genre") { view<BarsView>(R.id.bars).scores.isNotEmpty() }
        val best = view<BarsView>(R.id.bars).scores.first()
        assertEquals(best.label, text(R.id.genre))
        assertEquals(1.0, view<BarsView>(R.id.bars).scores.sumOf { it.probability }, 1e-9)
        assertTrue(view<TimelineView>(R.id.timeline).segments.size > 3)
        assertTrue("ms" in text(R.id.inference_ms) && "real-time factor" in text(R.id.real_time))
        assertTrue("said aloud", view<BarsView>(R.id.bars).contentDescription.startsWith(best.label))
        draw("song")
    }

    @Test
    fun `the self-test passes and shows its tolerances`() {
        button(R.id.page_self_test).performClick()
        button(R.id.self_test).performClick()
        waitFor("a verdict") { "tolerance" in text(R.id.checks) }
        assertTrue(text(R.id.checks).startsWith("This phone computes what Python computed"))
        draw("self-test")
    }

    @Test
    fun `about shows the card`() {
        button(R.id.page_about).performClick()
        assertTrue("ONNX Runtime" in text(R.id.card) && "SHA-256" in text(R.id.card))
        draw("about")
    }

    @Test
    @Config(qualifiers = "+night")
    fun `the night is dark`() {
        val picture = draw("night")
        assertTrue(Color.luminance(picture.getPixel(picture.width / 2, picture.height - 40)) < 0.1f)
    }

    @Test
    fun `what was heard survives a rotation`() {
        openSong(song(8))
        waitFor("a genre") { view<BarsView>(R.id.bars).scores.isNotEmpty() }
        val scores = view<BarsView>(R.id.bars).scores
        RuntimeEnvironment.setQualifiers("+land")
        controller.configurationChange()
        assertEquals(scores, view<BarsView>(R.id.bars).scores)
        waitFor("the end of the song") { button(R.id.open).isEnabled }
    }

    @Test
    fun `an unreadable file is told in one sentence`() {
        val file = folder.newFile("song.mp3").apply { writeText("ID3 and so on and on") }
        openSong(file)
        waitFor("a notice") { view<View>(R.id.notice).visibility == View.VISIBLE }
        assertEquals("song.mp3: not a WAV file: convert it, e.g. with 'ffmpeg -i FILE song.wav'", text(R.id.notice))
        waitFor("the next song") { button(R.id.open).isEnabled }
        draw("unreadable")
    }

    @Test
    fun `a denied microphone is told, and files still open`() {
        button(R.id.microphone).performClick()
        val asked = arrayOf(Manifest.permission.RECORD_AUDIO)
        activity.onRequestPermissionsResult(1, asked, intArrayOf(PackageManager.PERMISSION_DENIED))
        assertEquals(activity.getString(R.string.denied_forever), text(R.id.notice))
        assertTrue(button(R.id.open).isEnabled)
    }

    @Test
    fun `the microphone is heard until it is stopped`() {
        listen()
        waitFor("a genre") { view<BarsView>(R.id.bars).scores.isNotEmpty() }
        assertEquals(activity.getString(R.string.stop), text(R.id.microphone))
        button(R.id.microphone).performClick()
        assertEquals(activity.getString(R.string.start), text(R.id.microphone))
        assertTrue(button(R.id.open).isEnabled)
    }

    @Test
    fun `the microphone is let go when the app leaves the screen`() {
        listen()
        waitFor("listening") { text(R.id.microphone) == activity.getString(R.string.stop) }
        controller.pause().stop()
        assertEquals(activity.getString(R.string.start), text(R.id.microphone))
    }

    @Test
    fun `a model whose native engine does not load runs in the core's own`() {
        val models = view<Spinner>(R.id.models)
        val tflite = (0 until models.count).first { (models.getItemAtPosition(it) as String).endsWith(".tflite") }
        models.setSelection(tflite) // TensorFlow Lite has native libraries for Android alone
        waitFor("the other model") { button(R.id.open).isEnabled && "Kotlin" in text(R.id.card) }
        button(R.id.page_self_test).performClick()
        button(R.id.self_test).performClick()
        waitFor("a verdict") { "tolerance" in text(R.id.checks) }
        assertTrue(text(R.id.checks), text(R.id.checks).startsWith("This phone computes what Python computed"))
    }

    private fun listen() {
        shadowOf(activity.application as Application).grantPermissions(Manifest.permission.RECORD_AUDIO)
        val signal = ReferenceSignal.make(12 * Microphone.SAMPLE_RATE, Microphone.SAMPLE_RATE)
        ShadowAudioRecord.setSourceProvider { MusicSource(signal) }
        button(R.id.microphone).performClick()
    }

    private fun openSong(file: File) {
        button(R.id.open).performClick()
        val asked = shadowOf(activity).nextStartedActivityForResult.intent
        shadowOf(activity).receiveResult(asked, Activity.RESULT_OK, Intent().setData(Uri.fromFile(file)))
    }

    /** A WAV of the reference signal. */
    private fun song(seconds: Int): File {
        val signal = ReferenceSignal.make(seconds * 22_050, 22_050)
        val data = ByteBuffer.allocate(44 + 2 * signal.size).order(ByteOrder.LITTLE_ENDIAN)
            .put("RIFF".toByteArray()).putInt(36 + 2 * signal.size).put("WAVEfmt ".toByteArray()).putInt(16)
            .putShort(1).putShort(1).putInt(22_050).putInt(44_100).putShort(2).putShort(16)
            .put("data".toByteArray()).putInt(2 * signal.size)
        for (sample in signal) data.putShort((sample * 32_767).toInt().toShort())
        return folder.newFile("song.wav").apply { writeBytes(data.array()) }
    }

    private fun waitFor(what: String, condition: () -> Boolean) {
        val end = System.currentTimeMillis() + 60_000
        while (!condition()) {
            check(System.currentTimeMillis() < end) { "no $what within 60 s; notice: ${text(R.id.notice)}" }
            Thread.sleep(10)
            shadowOf(Looper.getMainLooper()).idle()
        }
    }

    private fun draw(name: String): Bitmap {
        shadowOf(Looper.getMainLooper()).idle()
        val window = activity.window.decorView
        val bitmap = Bitmap.createBitmap(window.width, window.height, Bitmap.Config.ARGB_8888)
        window.draw(Canvas(bitmap))
        val file = File(System.getProperty("genrekit.build"), "pictures/$name.png")
        file.parentFile!!.mkdirs()
        file.outputStream().use { bitmap.compress(Bitmap.CompressFormat.PNG, 100, it) }
        return bitmap
    }

    private fun <T : View> view(id: Int): T = activity.findViewById(id)

    private fun button(id: Int): Button = view(id)

    private fun text(id: Int): String = view<TextView>(id).text.toString()
}

/** A microphone before which a signal is played again and again. */
private class MusicSource(private val signal: FloatArray) : ShadowAudioRecord.AudioRecordSource {
    private var position = 0

    override fun readInShortArray(into: ShortArray, offset: Int, count: Int, blocking: Boolean): Int {
        for (i in 0 until count) into[offset + i] = (signal[position++ % signal.size] * 32_767).toInt().toShort()
        return count
    }
}
