package genrekit.demo.view

import android.graphics.Color

/** One colour per genre of a model, spread around the wheel; the same in every view. */
class GenreColors(labels: List<String>) {
    private val hues = labels.withIndex().associate { (index, label) -> label to index * 360f / labels.size }

    /** @param certainty 0..1; what is less certain is paler. */
    fun of(label: String, certainty: Double = 1.0): Int {
        val alpha = (55 + 200 * certainty).toInt().coerceIn(0, 255)
        return Color.HSVToColor(alpha, floatArrayOf(hues[label] ?: 0f, 0.6f, 0.8f))
    }
}
