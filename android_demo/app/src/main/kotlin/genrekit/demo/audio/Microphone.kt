package genrekit.demo.audio

import android.annotation.SuppressLint
import android.media.AudioFormat
import android.media.AudioManager
import android.media.AudioRecord
import android.media.MediaRecorder
import android.os.Build
import genrekit.core.AudioException

/**
 * The microphone: mono, 16 bits, at a rate that every device has.
 *
 * @param audio Tells whether another app hears instead.
 * @throws AudioException if it cannot be opened, as during a call.
 */
class Microphone(private val audio: AudioManager) : AutoCloseable {
    private val recorder = open()

    /**
     * Waits for the next samples.
     *
     * @return How many; fewer than the array holds, perhaps.
     * @throws AudioException if the microphone was taken away.
     */
    fun read(into: ShortArray): Int {
        val count = recorder.read(into, 0, into.size)
        if (count < 0) throw AudioException("the microphone was taken away (error $count): start again")
        return count
    }

    /** Whether another app, such as a call, hears instead of this one. Known from Android 10 on. */
    val silenced: Boolean
        get() = Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q &&
            audio.activeRecordingConfigurations.any { it.clientAudioSessionId == recorder.audioSessionId && it.isClientSilenced }

    override fun close() {
        recorder.stop()
        recorder.release()
    }

    @SuppressLint("MissingPermission") // the activity asks before it starts this
    private fun open(): AudioRecord {
        val smallest = AudioRecord.getMinBufferSize(SAMPLE_RATE, AudioFormat.CHANNEL_IN_MONO, AudioFormat.ENCODING_PCM_16BIT)
        val recorder = try {
            AudioRecord(
                MediaRecorder.AudioSource.VOICE_RECOGNITION, // no gain control, no noise suppression
                SAMPLE_RATE,
                AudioFormat.CHANNEL_IN_MONO,
                AudioFormat.ENCODING_PCM_16BIT,
                maxOf(smallest, BUFFER_BYTES),
            )
        } catch (error: IllegalArgumentException) {
            throw AudioException("this device has no microphone for $SAMPLE_RATE Hz: ${error.message}")
        }
        if (recorder.state == AudioRecord.STATE_INITIALIZED) {
            try {
                recorder.startRecording()
            } catch (_: IllegalStateException) {
                // recordingState tells
            }
        }
        if (recorder.recordingState != AudioRecord.RECORDSTATE_RECORDING) {
            recorder.release()
            throw AudioException("the microphone is in use by another app: end it and start again")
        }
        return recorder
    }

    companion object {
        /** Hz; the only rate that Android guarantees. */
        const val SAMPLE_RATE = 44_100

        private const val BUFFER_BYTES = 2 * SAMPLE_RATE // one second, for slow moments
    }
}
