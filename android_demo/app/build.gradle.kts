plugins {
    alias(libs.plugins.android.application)
    alias(libs.plugins.kotlin.android)
}

// The models that genrekit export wrote; a tiny one of the tests for a format that has none.
val shippedModels = fileTree(rootDir.resolve("../runtime/artifact/models")) { include("tiny.*") }
val tinyModels = fileTree(rootDir.resolve("../tests/golden")) { include("*.onnx", "*.tflite") }
val chosenModels = listOf("onnx", "tflite").flatMap { format ->
    val shipped = shippedModels.filter { it.extension == format }.files
    shipped.ifEmpty { tinyModels.filter { it.extension == format }.files }
}

abstract class CopyModels : DefaultTask() {
    @get:InputFiles
    abstract val models: ConfigurableFileCollection

    @get:OutputDirectory
    abstract val into: DirectoryProperty

    @TaskAction
    fun copy() {
        val folder = into.get().asFile.apply { deleteRecursively(); mkdirs() }
        models.forEach { model -> model.copyTo(folder.resolve(model.name)) }
    }
}

val copyModels = tasks.register<CopyModels>("copyModels") { models.from(chosenModels) }

androidComponents.onVariants { variant ->
    variant.sources.assets?.addGeneratedSourceDirectory(copyModels, CopyModels::into)
}

android {
    namespace = "genrekit.demo"
    compileSdk = 35

    defaultConfig {
        applicationId = "org.genrekit.demo"
        minSdk = 24
        targetSdk = 35
        versionCode = 1
        versionName = "0.1.0"
        ndk { abiFilters += listOf("arm64-v8a", "x86_64") }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_1_8
        targetCompatibility = JavaVersion.VERSION_1_8
    }
    kotlinOptions { jvmTarget = "1.8" }

    androidResources { noCompress += listOf("onnx", "tflite") }
    packaging { jniLibs.useLegacyPackaging = true } // compressed in the APK

    sourceSets.getByName("test").kotlin.srcDir("../core/src/testFixtures/kotlin")

    testOptions.unitTests.all { test ->
        test.useJUnitPlatform()
        test.systemProperty("genrekit.golden", rootDir.resolve("../tests/golden").path)
        test.systemProperty("genrekit.build", rootDir.resolve("build").path)
    }
}

// Unit tests run on the desktop, whose native libraries are in the desktop artifact.
configurations.matching { it.name.endsWith("UnitTestRuntimeClasspath") }.configureEach {
    exclude(group = "com.microsoft.onnxruntime", module = "onnxruntime-android")
}

dependencies {
    implementation(project(":core"))
    implementation(libs.onnxruntime.android)
    implementation(libs.tensorflow.lite)
    testImplementation(libs.junit.jupiter)
    testRuntimeOnly(libs.junit.launcher)
    testRuntimeOnly(libs.onnxruntime.desktop)
}
