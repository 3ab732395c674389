package genrekit.demo.onnx

import ai.onnxruntime.OnnxTensor
import ai.onnxruntime.OrtEnvironment
import ai.onnxruntime.OrtException
import ai.onnxruntime.OrtSession
import ai.onnxruntime.TensorInfo
import genrekit.core.Artifact
import genrekit.core.Engine
import genrekit.core.EngineException
import genrekit.core.checkLogits
import java.nio.Buffer
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer

/**
 * ONNX Runtime's CPU provider. Its Java API is the same on a phone and on a desktop JVM.
 *
 * The input tensors are made once, over buffers that every window is written into.
 *
 * @param threads Of one inference.
 * @throws EngineException if ONNX Runtime refuses the model, or it is not what its card says.
 */
class OnnxEngine(private val artifact: Artifact, threads: Int = 1) : Engine {
    override val name = "ONNX Runtime"

    private val environment = OrtEnvironment.getEnvironment()
    private val session: OrtSession = refusing { open(threads) }
    private val buffers: List<FloatBuffer> = artifact.card.inputs.map { floats(it.size) }
    private val tensors: Map<String, OnnxTensor> = refusing {
        artifact.card.inputs.withIndex().associate { (index, spec) ->
            val shape = longArrayOf(1) + spec.shape.map(Int::toLong)
            spec.name to OnnxTensor.createTensor(environment, buffers[index], shape)
        }
    }

    override fun run(inputs: Array<FloatArray>): FloatArray {
        for (index in inputs.indices) {
            (buffers[index] as Buffer).rewind()
            buffers[index].put(inputs[index])
            // Rewound through Buffer: FloatBuffer's own rewind() is not on every Android.
            (buffers[index] as Buffer).rewind()
        }
        try {
            session.run(tensors, setOf(artifact.card.output)).use { result ->
                val logits = result.get(0) as OnnxTensor
                val values = logits.floatBuffer
                return checkLogits(FloatArray(values.remaining()).also { values.get(it) }, artifact.card)
            }
        } catch (error: OrtException) {
            throw EngineException("${artifact.name}: ONNX Runtime failed: ${error.message}", error)
        }
    }

    override fun close() {
        tensors.values.forEach(OnnxTensor::close)
        session.close()
    }

    private fun open(threads: Int): OrtSession {
        val session = OrtSession.SessionOptions().use { options ->
            options.setIntraOpNumThreads(threads)
            options.setInterOpNumThreads(1)
            environment.createSession(artifact.model, options)
        }
        try {
            check(session)
        } catch (error: EngineException) {
            session.close()
            throw error
        }
        return session
    }

    /** Refuses a model whose inputs or output are not the card's. */
    private fun check(session: OrtSession) {
        val card = artifact.card
        val given = session.inputInfo.mapValues { (_, node) -> (node.info as? TensorInfo)?.shape?.drop(1) ?: emptyList() }
        val expected = card.inputs.associate { spec -> spec.name to spec.shape.map(Int::toLong) }
        if (given.keys != expected.keys) {
            throw EngineException("${artifact.name}: the model takes ${given.keys.sorted()}, its card says ${expected.keys.sorted()}")
        }
        for ((input, shape) in expected) {
            if (given[input] != shape) throw EngineException("${artifact.name}: input $input is ${given[input]}, its card says $shape")
        }
        if (card.output !in session.outputNames) {
            throw EngineException("${artifact.name}: the model gives ${session.outputNames}, its card says '${card.output}'")
        }
    }

    private fun floats(count: Int): FloatBuffer = ByteBuffer.allocateDirect(4 * count).order(ByteOrder.nativeOrder()).asFloatBuffer()

    private inline fun <T> refusing(load: () -> T): T =
        try {
            load()
        } catch (error: OrtException) {
            throw EngineException("${artifact.name}: ONNX Runtime refuses it: ${error.message}", error)
        }
}
