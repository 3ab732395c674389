package genrekit.core.engine

import genrekit.core.ArtifactException
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** Most axes of a tensor. */
internal const val MAX_DIMENSIONS = 8

/** Elements of a tensor of this shape. */
internal fun elements(shape: List<Int>): Long = shape.fold(1L) { product, size -> Math.multiplyExact(product, size.toLong()) }

/**
 * How one number of a constant is stored, little-endian.
 *
 * @property onnx Its number in `TensorProto.DataType`.
 * @property tflite Its number in schema.fbs' `TensorType`; -1 if no model that is read has it.
 */
internal enum class Element(val width: Int, val onnx: Int, val tflite: Int) {
    FLOAT32(4, 1, 0),
    UINT8(1, 2, 3),
    INT8(1, 3, 9),
    UINT16(2, 4, -1),
    INT16(2, 5, 7),
    INT32(4, 6, 2),
    INT64(8, 7, 4),
    FLOAT64(8, 11, -1);

    /** Whole numbers that an activation quantised to this type takes; null if it is no such type. */
    val levels: ClosedFloatingPointRange<Double>?
        get() = when (this) {
            UINT8 -> 0.0..255.0
            INT8 -> -128.0..127.0
            UINT16 -> 0.0..65_535.0
            INT16 -> -32_768.0..32_767.0
            else -> null
        }
}

/**
 * Constant numbers of a model, read where they lie in its bytes.
 *
 * @property shape Sizes of the axes; a sparse tensor holds fewer numbers than these promise.
 */
internal class Tensor(val element: Element, val shape: List<Int>, content: ByteBuffer) {
    private val bytes = content.slice().order(ByteOrder.LITTLE_ENDIAN)

    /** Numbers that are stored. */
    val size: Int = bytes.capacity() / element.width

    init {
        if (bytes.capacity() % element.width != 0) throw ArtifactException("${bytes.capacity()} bytes are no whole number of ${element.name.lowercase()}")
    }

    operator fun get(index: Int): Double =
        when (element) {
            Element.FLOAT32 -> bytes.getFloat(4 * index).toDouble()
            Element.FLOAT64 -> bytes.getDouble(8 * index)
            Element.UINT8 -> (bytes.get(index).toInt() and 0xff).toDouble()
            Element.INT8 -> bytes.get(index).toDouble()
            Element.UINT16 -> (bytes.getShort(2 * index).toInt() and 0xffff).toDouble()
            Element.INT16 -> bytes.getShort(2 * index).toDouble()
            Element.INT32 -> bytes.getInt(4 * index).toDouble()
            Element.INT64 -> bytes.getLong(8 * index).toDouble()
        }

    /** Copies number [index] as it is stored to place [to] of [into]. */
    fun copy(index: Int, into: ByteBuffer, to: Int) {
        for (byte in 0 until element.width) into.put(to * element.width + byte, bytes.get(index * element.width + byte))
    }

    /** A short list of whole numbers, such as a shape. */
    fun toInts(): List<Int> {
        if (size > MAX_DIMENSIONS) throw ArtifactException("a shape of $size sizes, over $MAX_DIMENSIONS")
        return List(size) { index ->
            val number = get(index)
            if (number != Math.rint(number) || Math.abs(number) > Int.MAX_VALUE) throw ArtifactException("$number is no size or axis")
            number.toInt()
        }
    }
}
