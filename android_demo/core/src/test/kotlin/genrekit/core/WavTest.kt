package genrekit.core

import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.CsvSource

class WavTest {
    @TempDir
    lateinit var folder: File

    @ParameterizedTest
    // Two samples and what they mean; mu-law's 0x00 is its largest negative value.
    @CsvSource(
        "1,8,00ff,-1.0,0.9921875",
        "1,16,0080ff7f,-1.0,0.999969482421875",
        "1,24,000080ffff7f,-1.0,0.99999988079071",
        "1,32,0000008000000040,-1.0,0.5",
        "3,32,0000803f000000bf,1.0,-0.5",
        "3,64,000000000000f03f000000000000e0bf,1.0,-0.5",
        "7,8,00ff,-0.9803467,0.0",
    )
    fun `decodes every encoding`(tag: Int, bits: Int, hex: String, first: Float, second: Float) {
        assertArrayEquals(floatArrayOf(first, second), read(wav(tag, 1, bits, bytes(hex))))
    }

    @Test
    fun `averages channels`() = assertArrayEquals(floatArrayOf(0.25f, -0.5f), read(wav(1, 2, 16, bytes("004000000000" + "0080"))))

    @Test
    fun `cuts what the header promises to what the file holds`() {
        val data = wav(1, 1, 16, bytes("0040004000"))
        ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).putInt(40, 1_000_000)
        assertArrayEquals(floatArrayOf(0.5f, 0.5f), read(data))
    }

    @Test
    fun `reads a stream whose size was never filled in`() {
        for (size in listOf(0, -1)) {
            val data = wav(1, 1, 16, bytes("0040"))
            ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).putInt(4, -1).putInt(40, size)
            assertArrayEquals(floatArrayOf(0.5f), read(data))
        }
    }

    @Test
    fun `compressed and foreign files are refused with a way out`() {
        val compressed = assertThrows<AudioException> { read(wav(2, 1, 4, bytes("00"))) }
        assertEquals("${file()}: compressed WAV (format 2): convert it, e.g. with 'ffmpeg -i FILE song.wav'", compressed.message)
        val mp3 = assertThrows<AudioException> { read("ID3 and so on and on".toByteArray()) }
        assertEquals("${file()}: not a WAV file: convert it, e.g. with 'ffmpeg -i FILE song.wav'", mp3.message)
        assertThrows<FileException> { WavReader.open(folder) }
        assertThrows<FileException> { WavReader.open(File(folder, "absent")) }
    }

    private fun file() = File(folder, "song.wav")

    private fun read(data: ByteArray): FloatArray {
        file().writeBytes(data)
        return WavReader.open(file()).use { reader ->
            assertEquals(22_050, reader.sampleRate)
            val into = FloatArray(reader.frames.toInt() + 8)
            into.copyOf(reader.read(into, into.size))
        }
    }

    private fun wav(tag: Int, channels: Int, bits: Int, samples: ByteArray): ByteArray {
        val align = channels * bits / 8
        return ByteBuffer.allocate(44 + samples.size).order(ByteOrder.LITTLE_ENDIAN)
            .put("RIFF".toByteArray()).putInt(36 + samples.size).put("WAVEfmt ".toByteArray()).putInt(16)
            .putShort(tag.toShort()).putShort(channels.toShort()).putInt(22_050).putInt(22_050 * align)
            .putShort(align.toShort()).putShort(bits.toShort())
            .put("data".toByteArray()).putInt(samples.size).put(samples).array()
    }

    private fun bytes(hex: String) = ByteArray(hex.length / 2) { hex.substring(2 * it, 2 * it + 2).toInt(16).toByte() }
}
