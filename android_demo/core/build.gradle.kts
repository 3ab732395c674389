import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.kotlin.jvm)
}

java {
    sourceCompatibility = JavaVersion.VERSION_1_8
    targetCompatibility = JavaVersion.VERSION_1_8
}

kotlin {
    compilerOptions {
        jvmTarget = JvmTarget.JVM_1_8
        // Java 8's classes, as Android has them: no covariant ByteBuffer.flip().
        freeCompilerArgs.add("-Xjdk-release=1.8")
    }
}

// What the tests of this module and of the app share.
kotlin.sourceSets.named("test") { kotlin.srcDir("src/testFixtures/kotlin") }

// Tests run on the whole JDK: one reads the JVM's count of allocated bytes.
tasks.named<org.jetbrains.kotlin.gradle.tasks.KotlinCompile>("compileTestKotlin") {
    compilerOptions.freeCompilerArgs.set(emptyList())
}

dependencies {
    testImplementation(libs.junit.jupiter)
    testRuntimeOnly(libs.junit.launcher)
}

tasks.test {
    useJUnitPlatform()
    systemProperty("genrekit.golden", rootDir.resolve("../tests/golden").path)
    systemProperty("genrekit.build", rootDir.resolve("build").path)
}
