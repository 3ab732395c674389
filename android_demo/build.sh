#!/usr/bin/env bash
# Builds, checks and signs the debug APK with Debian packages and Maven Central alone: no Android
# SDK, no Gradle, no Google repository. `make android` calls it.
#
#   apt-get install default-jdk-headless maven aapt zipalign apksigner enjarify binutils zip unzip
#
# Environment:
#   PYTHON           Python with genrekit installed (default: ../.venv/bin/python)
#   GENREKIT_MODELS  models for assets/, separated by spaces
#   GENREKIT_ORT_AAR path of com.microsoft.onnxruntime:onnxruntime-android's AAR, where Maven
#                    cannot fetch it
set -euo pipefail
cd "$(dirname "$0")"

root=$PWD
out=$root/build
tools=$out/toolchain
work=$out/work
repository=$(dirname "$root")
python=${PYTHON:-$repository/.venv/bin/python}
abis="arm64-v8a x86_64"
min_sdk=24
target_sdk=35

say() { echo "== android: $*"; }

property() { sed -n "s:.*<$1>\(.*\)</$1>.*:\1:p" pom.xml | head -1; }

need() {
    for tool in "$@"; do
        command -v "$tool" >/dev/null || {
            echo "$tool is missing: apt-get install default-jdk-headless maven aapt zipalign apksigner enjarify binutils zip unzip" >&2
            exit 1
        }
    done
}

jar_of() { find "$tools" -name "$1-[0-9]*.jar" | head -1; }

fetch_tools() {
    say "fetching the toolchain"
    mvn -q -B -f toolchain/pom.xml dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$tools"
    rm -rf "$work/tflite" "$work/tflite-api" "$work/onnxruntime"
    unzip -q "$tools"/tensorflow-lite-2*.aar -d "$work/tflite"
    unzip -q "$tools"/tensorflow-lite-api-*.aar -d "$work/tflite-api"
    local version coordinates aar=${GENREKIT_ORT_AAR:-}
    version=$(property onnxruntime.version)
    coordinates=com.microsoft.onnxruntime:onnxruntime-android:$version:aar
    if [ -z "$aar" ] && mvn -q -B dependency:copy -Dartifact="$coordinates" -DoutputDirectory="$tools" >"$out/onnxruntime.log" 2>&1; then
        aar=$tools/onnxruntime-android-$version.aar
    fi
    if [ -n "$aar" ]; then
        unzip -q "$aar" -d "$work/onnxruntime"
    else
        say "Maven gave no $coordinates (build/onnxruntime.log): the core's own engine will run .onnx models"
    fi
}

test_on_jvm() {
    say "expected results from Python"
    OMP_NUM_THREADS=1 "$python" expected.py --out "$out/expected.json" $(models)
    OMP_NUM_THREADS=1 "$python" engine_cases.py --out "$out/engine_cases" >"$out/engine_cases.log" 2>&1 || { cat "$out/engine_cases.log"; exit 1; }
    say "core, state and ONNX engine: build and test on this JVM"
    mvn -q -B package
}

# The kit's tiny model; those on pretrained weights need operators and rules that the app has not
# yet. Of a format that it does not ship, one of tests/golden.
models() {
    if [ -n "${GENREKIT_MODELS:-}" ]; then
        echo "$GENREKIT_MODELS"
        return
    fi
    for format in onnx tflite; do
        find "$repository/runtime/artifact/models" -name "tiny.$format" 2>/dev/null | grep . || echo "$repository/tests/golden/tiny.$format"
    done
}

compile_resources() {
    say "resources"
    rm -rf "$work/resources" "$work/generated"
    mkdir -p "$work/resources" "$work/generated" "$work/assets"
    aapt2 compile --dir app/src/main/res -o "$work/resources/compiled.zip"
    rm -f "$work/assets"/*
    cp $(models) "$work/assets/"
    # The package name is Gradle's to give, and so is the meaning of `tools:`.
    sed -e 's:<manifest :<manifest package="org.genrekit.demo" :' -e '/tools:node="remove"/d' \
        app/src/main/AndroidManifest.xml >"$work/AndroidManifest.xml"
    aapt2 link -o "$work/base.apk" -I "$(jar_of android-all)" --manifest "$work/AndroidManifest.xml" \
        --java "$work/generated" --custom-package genrekit.demo -A "$work/assets" -0 onnx -0 tflite \
        --min-sdk-version $min_sdk --target-sdk-version $target_sdk \
        --version-code 1 --version-name 0.1.0 --debug-mode "$work/resources/compiled.zip"
}

compile_app() {
    say "app"
    local android classpath
    android=$(jar_of android-all)
    classpath=$android:core/target/genrekit-core.jar:$(jar_of onnxruntime):$work/tflite/classes.jar:$work/tflite-api/classes.jar:$work/r
    rm -rf "$work/r" "$work/app"
    mkdir -p "$work/r" "$work/app"
    javac --release 8 -nowarn -Xlint:-options -d "$work/r" $(find "$work/generated" -name '*.java')
    java -Xmx1g -cp "$tools/*" org.jetbrains.kotlin.cli.jvm.K2JVMCompiler \
        -Xjdk-release=1.8 -no-reflect -no-stdlib -Xlambdas=class -Xsam-conversions=class -Werror \
        -classpath "$classpath:$(jar_of kotlin-stdlib)" -d "$work/app" app/src/main/kotlin
}

# The real activity with its real layout and model, drawn by Android's own graphics code.
test_screen() {
    say "the screen, in Robolectric"
    jar --create --file "$work/app.jar" -C "$work/app" . -C "$work/r" .
    mvn -q -B dependency:copy -Dartifact=androidx.test:monitor:1.7.2:aar -DoutputDirectory="$tools"
    rm -rf "$work/monitor"
    unzip -q "$tools/monitor-1.7.2.aar" classes.jar -d "$work/monitor"
    mvn -q -B -f pictures/pom.xml test
}

make_dex() {
    say "dex"
    # ONNX Runtime's Java API is the desktop artifact's, as the JVM tests ran it; its native
    # libraries are the AAR's. Fp16Conversions needs method handles, which come with API 26: it is
    # for float16 tensors alone, and both engines take and give float32.
    local jmods
    jmods=$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")/jmods
    java -Xmx1g -cp "$tools/*" proguard.ProGuard @proguard.pro \
        -injars "$work/app:$work/r:core/target/genrekit-core.jar(!META-INF/**)" \
        -injars "$work/tflite/classes.jar:$work/tflite-api/classes.jar(!META-INF/**)" \
        -injars "$(jar_of onnxruntime)(!**Fp16Conversions.class,ai/onnxruntime/**.class)" \
        -injars "$(jar_of kotlin-stdlib)(!META-INF/**)" \
        -libraryjars "$(jar_of android-all)(android/**.class,dalvik/**.class)" \
        -libraryjars "$jmods/java.base.jmod(!**.jar;!module-info.class):$jmods/java.logging.jmod(!**.jar;!module-info.class)" \
        -outjars "$work/shrunk.jar" >"$out/proguard.log" 2>&1 || { tail -30 "$out/proguard.log"; exit 1; }
    rm -rf "$work/dex"
    mkdir -p "$work/dex"
    java -Xmx2g -cp "$(jar_of dalvik-dx)" com.android.dx.command.Main --dex --min-sdk-version=$min_sdk \
        --output="$work/dex/classes.dex" "$work/shrunk.jar"
}

# package NAME ABI...
package() {
    local name=$1 stage=$work/$1
    shift
    rm -rf "$stage"
    mkdir -p "$stage"
    cp "$work/dex/classes.dex" "$stage/"
    for abi in "$@"; do
        mkdir -p "$stage/lib/$abi"
        cp "$work/tflite/jni/$abi/"*.so "$stage/lib/$abi/"
        cp "$work/onnxruntime/jni/$abi/"*.so "$stage/lib/$abi/" 2>/dev/null || true
    done
    cp "$work/base.apk" "$work/$name.unaligned.apk"
    (cd "$stage" && zip -q -X -9 -r "$work/$name.unaligned.apk" classes.dex lib)
    zipalign -f -p 4 "$work/$name.unaligned.apk" "$out/$name.apk"
    apksigner sign --ks "$out/debug.keystore" --ks-pass pass:android --min-sdk-version $min_sdk "$out/$name.apk"
    rm -f "$out/$name.apk.idsig"
}

make_apks() {
    say "APKs"
    [ -f "$out/debug.keystore" ] || keytool -genkeypair -keystore "$out/debug.keystore" -storepass android -keypass android \
        -alias debug -keyalg RSA -keysize 2048 -validity 10000 -dname "CN=genrekit debug" >"$out/keytool.log" 2>&1
    package genrekit-debug $abis
    package genrekit-debug-arm64 arm64-v8a
}

# Turns the dex back into classes and runs the core's tests on them.
test_dex() {
    say "core's tests once more, on the classes decoded from classes.dex"
    # Debian's enjarify is a module of Debian's own Python, and takes another from PYTHON.
    PYTHON=/usr/bin/python3 PATH=/usr/bin:$PATH enjarify -f -o "$work/decoded.jar" "$work/dex/classes.dex" >"$out/enjarify.log"
    rm -rf "$work/decoded"
    unzip -q "$work/decoded.jar" 'genrekit/core/*' -d "$work/decoded"
    mvn -q -B -pl core surefire:test -Dtested.classes="$work/decoded"
}

need java javac jar keytool mvn aapt aapt2 zipalign apksigner enjarify readelf zip unzip
mkdir -p "$work" "$tools"
fetch_tools
test_on_jvm
compile_resources
compile_app
test_screen
make_dex
test_dex
make_apks
"$python" check_apk.py "$out/genrekit-debug.apk" --abis $abis
"$python" check_apk.py "$out/genrekit-debug-arm64.apk" --abis arm64-v8a
