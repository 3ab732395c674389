package genrekit.core

/** A model's bytes without its card, and the card's JSON; null if there is none. */
internal class SplitFile(val model: ByteArray, val card: ByteArray?)

/**
 * The card inside an .onnx file: one `metadata_props` entry, found without a protobuf library.
 *
 * A ModelProto is a run of fields in any order; the model's own bytes are all of them but the
 * card's entry, in their order.
 */
internal object OnnxFile {
    private const val CARD_KEY = "genrekit.card"

    // Field numbers of ModelProto and StringStringEntryProto in onnx.proto.
    private const val IR_VERSION = 1
    private const val GRAPH = 7
    private const val METADATA_PROPS = 14
    private const val KEY = 1
    private const val VALUE = 2
    private const val MAX_ENTRY_FIELDS = 16 // of one metadata entry; a real one has two

    /** @throws ArtifactException if it is not a whole ONNX model, or carries two cards. */
    fun split(data: ByteArray): SplitFile {
        val walk = ProtobufWalk(data, 0, data.size)
        val seen = HashSet<Int>()
        var entry: ProtobufField? = null
        var card: ByteArray? = null
        while (true) {
            val field = walk.next() ?: break
            seen.add(field.number)
            val text = (if (field.number == METADATA_PROPS) cardText(data, field) else null) ?: continue
            if (card != null) throw ArtifactException("two cards in one file")
            card = text
            entry = field
        }
        if (IR_VERSION !in seen || GRAPH !in seen) throw ArtifactException("not an ONNX model")
        if (entry == null) return SplitFile(data, null)
        val model = ByteArray(data.size - (entry.end - entry.start))
        System.arraycopy(data, 0, model, 0, entry.start)
        System.arraycopy(data, entry.end, model, entry.start, data.size - entry.end)
        return SplitFile(model, card)
    }

    private fun cardText(data: ByteArray, entry: ProtobufField): ByteArray? {
        if (entry.contentStart < 0) throw ArtifactException("metadata is not a message")
        val walk = ProtobufWalk(data, entry.contentStart, entry.end)
        var key: String? = null
        var value: ProtobufField? = null
        var fields = 0
        while (true) {
            val field = walk.next() ?: break
            if (++fields > MAX_ENTRY_FIELDS) throw ArtifactException("a metadata entry of over $MAX_ENTRY_FIELDS fields")
            if (field.contentStart < 0) continue
            if (field.number == KEY) key = String(data, field.contentStart, minOf(field.end - field.contentStart, CARD_KEY.length + 1), Charsets.UTF_8)
            if (field.number == VALUE) value = field
        }
        return if (key == CARD_KEY && value != null) data.copyOfRange(value.contentStart, value.end) else null
    }
}
