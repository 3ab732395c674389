package genrekit.core

import java.nio.ByteBuffer
import java.nio.charset.CharacterCodingException
import java.security.MessageDigest

/**
 * Reads a card from a file that may be hostile.
 *
 * An artifact holds its card as canonical JSON (sorted keys, no spaces), and `card_sha256` is
 * the SHA-256 of that text without its own member. It is checked on the text as it stands, so
 * that no number needs to be formatted here as Python formats it.
 *
 * @throws ArtifactException if it is no card, of another schema version, altered, or breaks
 *   the schema.
 */
fun readCard(text: ByteArray): Card {
    if (text.size > MAX_CARD_BYTES) throw ArtifactException("card: ${text.size} bytes, over $MAX_CARD_BYTES")
    try {
        val document = parseJson(decodeUtf8(text), "card")
        if (document !is Map<*, *> || "schema" !in document) {
            throw ArtifactException("card: no 'schema'; this is not a genrekit card")
        }
        val schema = document["schema"]
        if (schema !is JsonNumber || schema.text != "$SCHEMA_VERSION") {
            throw ArtifactException(
                "card: schema ${representJson(schema).take(20)} is unknown; this genrekit reads schema $SCHEMA_VERSION: " +
                    "update the app",
            )
        }
        val digest = unsignedDigest(text)
        if (digest == null || document["card_sha256"] != digest) {
            throw ArtifactException("card: its SHA-256 does not match: altered or corrupt; export again")
        }
        return decodeCard(document)
    } catch (error: ConfigException) {
        throw ArtifactException(error.message!!)
    }
}

internal fun sha256(vararg parts: ByteArray): String {
    val digest = MessageDigest.getInstance("SHA-256")
    parts.forEach(digest::update)
    return digest.digest().joinToString("") { "%02x".format(it) }
}

private fun decodeUtf8(text: ByteArray): String =
    try {
        Charsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text)).toString()
    } catch (_: CharacterCodingException) {
        throw ConfigException("card: not JSON: not UTF-8")
    }

private const val HEX_DIGITS = 64
private val MEMBER = "\"card_sha256\":\"".toByteArray()

/** SHA-256 of [text] without its member `card_sha256`; null if it has none, or several. */
private fun unsignedDigest(text: ByteArray): String? {
    // In canonical JSON a quote inside a string is escaped: this pattern is always a member.
    val start = indexOf(text, MEMBER, 0)
    val end = start + MEMBER.size + HEX_DIGITS + 2 // the closing quote and the comma
    if (start < 0 || end > text.size || indexOf(text, MEMBER, end) >= 0) return null
    if (text[end - 2] != '"'.code.toByte() || text[end - 1] != ','.code.toByte()) return null
    return sha256(text.copyOfRange(0, start), text.copyOfRange(end, text.size))
}

private fun indexOf(text: ByteArray, pattern: ByteArray, from: Int): Int {
    for (start in from..text.size - pattern.size) {
        if (pattern.indices.all { text[start + it] == pattern[it] }) return start
    }
    return -1
}

private fun decodeCard(document: Any?): Card {
    val card = Members.of(
        document, "card", "schema", "name", "task", "labels", "features", "inputs", "output", "windowing", "aggregation",
        "training", "compression", "licence", "intended_use", "limits", "reference", "model_sha256", "card_sha256",
    )
    val name = card.string("name")
    card.choice("task", "single-label-classification")
    val labels = card.strings("labels")
    val features = FeatureConfig.read(card.child("features", *FeatureConfig.KEYS))
    val inputs = card.list("inputs", ::decodeInput)
    val output = card.string("output")
    val windowing = decodeWindowing(card.child("windowing", "window_s", "hop_s", "short"))
    card.choice("aggregation", "mean-probability")
    val training = decodeTraining(card)
    val compression = decodeCompression(card)
    val licence = card.string("licence")
    val intendedUse = card.string("intended_use")
    val limits = card.string("limits")
    val reference = decodeReference(card)
    val modelSha256 = card.string("model_sha256")
    val cardSha256 = card.string("card_sha256")
    return card.build {
        Card(
            name, labels, features, inputs, output, windowing, training, compression, licence, intendedUse, limits,
            reference, modelSha256, cardSha256,
        )
    }
}

private fun decodeInput(value: Any?, where: String): InputSpec {
    val input = Members.of(value, where, "name", "feature", "layout", "shape", "dtype", "normalisation")
    val name = input.string("name")
    val feature = input.string("feature")
    val layoutText = input.choice("layout", *Layout.values().map { it.text }.toTypedArray())
    val shape = input.ints("shape")
    input.choice("dtype", "float32")
    val normalisation = input.child("normalisation", "kind", "mean", "std").let { members ->
        val kind = NormalisationKind.valueOf(members.choice("kind", "none", "fixed", "window").uppercase())
        val mean = members.doubles("mean")
        val std = members.doubles("std")
        members.build { Normalisation(kind, mean, std) }
    }
    return input.build { InputSpec(name, feature, Layout.values().first { it.text == layoutText }, shape, normalisation) }
}

private fun decodeWindowing(members: Members): Windowing {
    val windowS = members.double("window_s")
    val hopS = members.double("hop_s")
    val short = ShortRule.valueOf(members.choice("short", "wrap", "zero").uppercase())
    return members.build { Windowing(windowS, hopS, short) }
}

private fun decodeTraining(card: Members): Training {
    val members = card.child("training", "architecture", "data", "synthetic", "split", "seed", "accuracy")
    return Training(
        members.string("architecture"),
        members.string("data"),
        members.bool("synthetic"),
        members.string("split"),
        members.int("seed"),
        members.list("accuracy") { value, where ->
            val accuracy = Members.of(value, where, "split", "n", "accuracy", "ci95")
            val split = accuracy.string("split")
            val n = accuracy.int("n")
            val share = accuracy.double("accuracy")
            val ci95 = accuracy.doubles("ci95")
            accuracy.build { Accuracy(split, n, share, ci95) }
        },
    )
}

private fun decodeCompression(card: Members): Compression {
    val members = card.child("compression", "steps", "source_bytes", "label_agreement", "agreement_n")
    return Compression(
        members.strings("steps"),
        members.int("source_bytes"),
        members.doubleOrNull("label_agreement"),
        members.int("agreement_n"),
    )
}

private fun decodeReference(card: Members): Reference {
    val members = card.child("reference", "signal", "probes", "logits", "logit_tolerance")
    val signal = members.string("signal")
    val probes = members.list("probes") { value, where ->
        val probe = Members.of(value, where, "input", "index", "value", "tolerance")
        val input = probe.string("input")
        val index = probe.ints("index")
        val expected = probe.doubles("value")
        val tolerance = probe.double("tolerance")
        probe.build { Probe(input, index, expected, tolerance) }
    }
    val logits = members.doubles("logits")
    val logitTolerance = members.double("logit_tolerance")
    return members.build { Reference(signal, probes, logits, logitTolerance) }
}
