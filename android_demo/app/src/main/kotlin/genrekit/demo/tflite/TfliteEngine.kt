package genrekit.demo.tflite

import genrekit.core.Artifact
import genrekit.core.Engine
import genrekit.core.EngineException
import genrekit.core.checkLogits
import java.nio.Buffer
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer
import org.tensorflow.lite.DataType
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.Tensor

/**
 * TensorFlow Lite's interpreter. It has native libraries for Android alone: this class is
 * compiled, but not run, by the tests on a desktop JVM.
 *
 * @param threads Of one inference.
 * @throws EngineException if TensorFlow Lite refuses the model, or it is not what its card says.
 */
class TfliteEngine(private val artifact: Artifact, threads: Int = 1) : Engine {
    override val name = "TensorFlow Lite"

    private val card = artifact.card
    private val interpreter: Interpreter = open(threads)
    private val inputs: Array<ByteBuffer> = Array(interpreter.inputTensorCount) { bytes(interpreter.getInputTensor(it).numBytes()) }
    private val inputFloats: List<FloatBuffer> = inputs.map { it.asFloatBuffer() }

    // Position in the card of each of the interpreter's inputs.
    private val order = IntArray(inputs.size) { index -> card.inputs.indexOfFirst { it.name == interpreter.getInputTensor(index).name() } }
    private val output = (0 until interpreter.outputTensorCount).first { interpreter.getOutputTensor(it).name() == card.output }
    private val logits = bytes(4 * card.labels.size)
    private val outputs: Map<Int, Any> = mapOf(output to logits)

    override fun run(inputs: Array<FloatArray>): FloatArray {
        for (index in order.indices) {
            (inputFloats[index] as Buffer).rewind()
            inputFloats[index].put(inputs[order[index]])
            (this.inputs[index] as Buffer).rewind()
        }
        (logits as Buffer).rewind()
        try {
            interpreter.runForMultipleInputsOutputs(this.inputs, outputs)
        } catch (error: RuntimeException) { // all that it throws
            throw EngineException("${artifact.name}: TensorFlow Lite failed: ${error.message}", error)
        }
        (logits as Buffer).rewind()
        return checkLogits(FloatArray(card.labels.size).also { logits.asFloatBuffer().get(it) }, card)
    }

    override fun close() = interpreter.close()

    private fun open(threads: Int): Interpreter {
        val model = bytes(artifact.model.size).put(artifact.model)
        val interpreter = try {
            Interpreter(model, Interpreter.Options().setNumThreads(threads)).apply { allocateTensors() }
        } catch (error: RuntimeException) {
            throw EngineException("${artifact.name}: TensorFlow Lite refuses it: ${error.message}", error)
        }
        try {
            check(interpreter)
        } catch (error: EngineException) {
            interpreter.close()
            throw error
        }
        return interpreter
    }

    /** Refuses a model whose inputs or output are not the card's. */
    private fun check(interpreter: Interpreter) {
        val given = (0 until interpreter.inputTensorCount).map(interpreter::getInputTensor)
        val results = (0 until interpreter.outputTensorCount).map(interpreter::getOutputTensor)
        val names = given.map(Tensor::name).sorted()
        if (names != card.inputs.map { it.name }.sorted()) {
            throw EngineException("${artifact.name}: the model takes $names, its card says ${card.inputs.map { it.name }.sorted()}")
        }
        for (tensor in given) {
            val shape = tensor.shape().drop(1)
            val expected = card.inputs.first { it.name == tensor.name() }.shape
            if (shape != expected) throw EngineException("${artifact.name}: input ${tensor.name()} is $shape, its card says $expected")
        }
        val result = results.find { it.name() == card.output }
            ?: throw EngineException("${artifact.name}: the model gives ${results.map(Tensor::name)}, its card says '${card.output}'")
        if (result.numBytes() != 4 * card.labels.size) {
            throw EngineException("${artifact.name}: output ${result.shape().toList()}, its card has ${card.labels.size} labels")
        }
        if ((given + results).any { it.dataType() != DataType.FLOAT32 }) throw EngineException("${artifact.name}: its tensors must be float32")
    }

    private fun bytes(count: Int): ByteBuffer = ByteBuffer.allocateDirect(count).order(ByteOrder.nativeOrder())
}
