plugins {
    alias(libs.plugins.android.application)
    alias(libs.plugins.kotlin.android)
}

// The models that genrekit export wrote; the tiny ones of the tests until there are any.
val models = rootDir.resolve("../runtime/models").takeIf { folder -> folder.isDirectory } ?: rootDir.resolve("../tests/golden")

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
    sourceSets["main"].assets.srcDir(tasks.register<Sync>("copyModels") {
        from(models) { include("*.onnx", "*.tflite") }
        into(layout.buildDirectory.dir("models"))
    })

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
