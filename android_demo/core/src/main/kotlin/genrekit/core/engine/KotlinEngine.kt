package genrekit.core.engine

import genrekit.core.Artifact
import genrekit.core.ArtifactException
import genrekit.core.Engine
import genrekit.core.EngineException
import genrekit.core.ModelFormat
import genrekit.core.checkLogits

/**
 * Runs the models that genrekit exports without any native library: .onnx of convolutions and
 * matrix products, in float32 or int8, and .tflite of fully connected layers, dense or sparse.
 *
 * It is the counterpart of Python's NumpyEngine. [run] allocates nothing but its result; one
 * thread at a time may call it.
 *
 * @throws ArtifactException if the graph is malformed or not what its card says.
 * @throws EngineException if it holds an operator that is not known here, or is too large.
 */
class KotlinEngine(private val artifact: Artifact) : Engine {
    override val name = "Kotlin, built in"

    private val program: Program = try {
        when (artifact.format) {
            ModelFormat.ONNX -> OnnxBuilder(OnnxReader(artifact.model).read(), artifact.card).build()
            ModelFormat.TFLITE -> TfliteBuilder(TfliteReader(artifact.model).read(), artifact.card).build()
        }
    } catch (error: ArtifactException) {
        throw ArtifactException("${artifact.name}: ${error.message}")
    } catch (error: EngineException) {
        throw EngineException("${artifact.name}: ${error.message}", error)
    } catch (error: OutOfMemoryError) {
        throw EngineException("${artifact.name}: too large for this device's memory", error)
    }

    override fun run(inputs: Array<FloatArray>): FloatArray = checkLogits(program.run(inputs).copyOf(), artifact.card)

    override fun close() = Unit
}
