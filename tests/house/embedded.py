#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The example firmware: built, run in emulators, compared with the host bit for bit, and held to its budgets.

Targets whose tools are not here are left out, and named. As many builds run at once as there are processors.
"""
import argparse
import concurrent.futures
import csv
import os
import pathlib
import re
import struct
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "examples" / "embedded"))
import build  # noqa: E402

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("--program", required=True, type=pathlib.Path)
arguments.add_argument("--system", default="")
arguments.add_argument("--work", required=True, type=pathlib.Path)
arguments.add_argument("--host-only", action="store_true",
                       help="only what the program itself does: its sanitized build changes nothing of the firmware")
arguments.add_argument("--targets", nargs="+", default=["aarch64", "m3", "m4f", "m7"])
options = arguments.parse_args()
eigen = [folder for folder in options.system.split(":") if folder]
work = options.work.resolve()
work.mkdir(parents=True, exist_ok=True)

# What a detector of 16-32-16-(4)-16-32-16 may take of a Cortex-M4F: bytes and instructions.
MOST_CODE = {"score": 4 * 1024, "all": 6 * 1024, "training": 20 * 1024}
MOST_STACK = 1536  # the arena is on it
MOST_OF_FLOAT = 0.4  # of the flash of a whole detector of the program's default size, with int8 weights
MOST_INSTRUCTIONS = 15000
FORBIDDEN = re.compile(r"^_*(malloc|calloc|realloc|free|sbrk|operator (new|delete)|cxa_|Unwind|.*printf|.*exit|abort)")

# What the code budgets are for: nothing else is in these images.
SOURCES = {
    "score": """
        extern "C" bool entry(const float* x) { return vibration::Detector::score(x) > 5.0f; }""",
    "all": """
        untoward::KOfN alarm(3, 8);
        using Detector = vibration::Detector;
        extern "C" bool entry(const float* x, float* p_value, untoward::FlashContribution<float>* most) {
            if (!Detector::self_test()) return true;
            float excess[Detector::features];
            const auto verdict = Detector::judge(x, excess);
            Detector::most_to_blame(excess, most, 3);
            *p_value = verdict.p_value;
            return alarm.push(verdict.is_anomaly);
        }""",
    "training": """
        #include <untoward/embedded/trainer.hpp>
        using Weights = untoward::InRam<vibration::Definition>;
        using Detector = untoward::FlashDetector<Weights>;
        untoward::DeviceTrainer<Weights, 8> trainer;
        untoward::ConformalTail<float, 16> threshold(0.01);
        extern "C" bool entry(const float* x, void (*next)(float*), const float* held_out) {
            Weights::load();
            if (trainer.improve(next, 100, 0.001f, held_out)) threshold.reset();
            threshold.add(Detector::score(x));
            return Detector::judge(x, nullptr, threshold).is_anomaly;
        }""",
}

failures = []


def check(is_right, text):
    print(("ok: " if is_right else "FAILED: ") + text, flush=True)
    if not is_right:
        failures.append(text)


def check_symbols(image):
    found = sorted(name for _, _, name in build.symbols(image) if FORBIDDEN.match(name))
    check(not found, f"{image.name}: no heap, no exceptions, no printing" + (f", but {found}" if found else ""))


def figure(output, name):
    match = re.search(rf"^# {name}.* (\d+)$", output, re.MULTILINE)
    return int(match.group(1))


def check_code(folder, name, source_text, most):
    source = folder / f"budget_{name}.cpp"
    source.write_text('#include <untoward/embedded.hpp>\n#include "detector.hpp"\n' + source_text, encoding="utf-8")
    image = folder / f"budget_{name}"
    build.build("m4f", "-Os", folder, eigen, image, [source], ["-fstack-usage", "-Wl,-e,entry,-u,entry"])
    check_symbols(image)
    code = sum(size for size, kind, _ in build.symbols(image) if kind in "tTwW")
    check(code <= most, f"m4f -Os, {name}: {code} bytes of code, at most {most}")


def export(command):
    """Writes a header; what the program says its code takes."""
    said = build.run(command, stderr=subprocess.PIPE).stderr
    return int(re.search(r"about (\d+) for code", said).group(1))


def check_estimates():
    """What --max-flash takes a detector's code for is no less than it is."""
    for name, fit in (("student", ["--likelihood", "student-t", "--score", "negative-elbo"]),
                      ("weighted", ["--likelihood", "heteroscedastic-gaussian", "--latent", "correlated-latent<4>", "--score",
                                    "importance-weighted-likelihood + reconstruction-error"]),
                      ("ranks", ["--latent", "4", "--score", "negative-log-p{whitened-error} + slog{balanced-error}"])):
        folder = work / name
        folder.mkdir(exist_ok=True)
        build.run([options.program, "fit", work / "normal.csv", "--model", folder / "m", "--epochs", "1", "--hidden", "16",
                   "--quiet", *fit])
        claimed = export([options.program, "export", folder / "m", "--header", folder / "detector.hpp", "--namespace",
                          "vibration"])
        check_code(folder, name, SOURCES["all"], claimed)


def check_budget(name):
    check_code(work, name, SOURCES[name], MOST_CODE[name])
    if name == "training":
        return
    # Every function of the image in one chain of calls: more than any of them takes.
    usage = next(work.glob(f"*budget_{name}*.su"))
    frames = [int(line.split("\t")[1]) for line in usage.read_text(encoding="utf-8").splitlines()]
    check(sum(frames) <= MOST_STACK, f"m4f -Os, {name}: {sum(frames)} bytes of stack by -fstack-usage, arena and all, "
                                     f"at most {MOST_STACK}")


def same_everywhere(output):
    return [line for line in output.splitlines() if not line.startswith("#")]


def ordered(text):
    """Scores in hexadecimal as integers in the order of floats."""
    return [int(word, 16) for word in re.findall(r"\b[0-9a-f]{8}\b", text)]


def write_rows(folder, rows):
    """A program that prints the scores of the first rows of other.csv."""
    with open(work / "other.csv", encoding="utf-8") as table:
        samples = [line.strip() for line in table.readlines()[1:rows + 1]]
    source = folder / "rows.cpp"
    source.write_text("""
        #include "detector.hpp"
        #include "platform.hpp"
        #include "print.hpp"
        int main() {
            const float rows[][vibration::Detector::features] = {""" + ",\n".join(
            "{" + ", ".join(f"static_cast<float>({cell})" for cell in sample.split(",")) + "}" for sample in samples) + """};
            for (const auto& row : rows) print_hex(bits(vibration::Detector::score(row)));
            return 0;
        }""", encoding="utf-8")
    return source


def build_with_kernels(folder, source, image):
    """For the host as any program is: with the library's fast kernels, which round otherwise."""
    build.run(["g++", *build.COMMON, "-O1", "-I", folder, "-I", build.HERE, "-I", build.INCLUDE, *build.system_flags(eigen),
               source, build.HERE / "hosted.cpp", "-o", image])


def check_other_arithmetic(targets):
    """Scores by other roundings: fused multiply-adds on a device, the fast kernels on a host."""
    count = 200
    source = write_rows(work, count)
    build.build("host", "-O1", work, eigen, work / "rows", [source, build.HERE / "hosted.cpp"])
    expected = ordered(build.execute("host", work / "rows"))
    build_with_kernels(work, source, work / "rows_kernels")
    others = {"host with its kernels": ordered(build.execute("host", work / "rows_kernels"))}
    if "m4f" in targets:
        build.build("m4f", "-O2", work, eigen, work / "rows_m4f", [source, build.HERE / "cortex_m.cpp"],
                    ["-ffp-contract=fast"])
        others["m4f with fused multiply-adds"] = ordered(build.execute("m4f", work / "rows_m4f"))
    for name, found in others.items():
        ulps = sorted(abs(a - b) for a, b in zip(found, expected, strict=True))
        check(ulps[count * 95 // 100] <= 4 and ulps[-1] <= 8,
              f"{name}: 95 of 100 scores are within {ulps[count * 95 // 100]} ulp, all {count} within {ulps[-1]}")


def check_columns():
    """A table with texts, a logarithm and missing cells is coded in the header as the program codes it."""
    folder = work / "columns"
    folder.mkdir(exist_ok=True)
    rows = [(f"{(7 * i) % 50 / 10}", ["DE", "FR", "say \\\"x\\\" \\\\"][i * i % 7 % 3],
             str(100000 + i if i % 60 == 0 else i % 9)) for i in range(300)]
    rows[9], rows[10] = ("", "FR", "3"), ("1.5", "", "")
    def cell(text):  # C++'s escapes to CSV's
        return '"' + text.replace("\\\"", '""').replace("\\\\", "\\") + '"'

    quoted = [f"{a},{cell(b) if b else ''},{c}" for a, b, c in rows]
    train, table = folder / "train.csv", folder / "new.csv"
    train.write_text("\n".join(["amount,country,count", *quoted]) + "\n", encoding="utf-8")
    table.write_text("\n".join(["amount,country,count", *quoted[:40], "1,XX,5", "9,DE,-70000"]) + "\n", encoding="utf-8")
    build.run([options.program, "fit", train, "--model", folder / "m", "--epochs", "2", "--hidden", "9", "--quiet"])
    build.run([options.program, "export", folder / "m", "--header", folder / "detector.hpp", "--namespace", "own::shop"])
    build.run([options.program, "score", table, "--model", folder / "m", "--out", folder / "scores.csv"])
    cells = []
    for amount, country, count in [*rows[:40], ("1", "XX", "5"), ("9", "DE", "-70000")]:
        text = f'columns[1].level("{country}")' if country else "nan"
        cells.append(f"{{{amount + 'f' if '.' in amount else amount or 'nan'}, static_cast<float>({text}), {count or 'nan'}}},")
    (folder / "main.cpp").write_text("""
        #include "detector.hpp"
        #include <cmath>
        #include <cstdio>
        using Detector = own::shop::Detector;
        int main() {
            if (!Detector::self_test()) return 1;
            const float nan = NAN;
            const auto& columns = own::shop::Definition::columns;
            const float rows[][3] = {""" + "\n".join(cells) + """};
            for (const auto& row : rows) {
                float sample[Detector::features];
                Detector::code(row, sample);
                std::printf("%.9g\\n", static_cast<double>(Detector::score(sample)));
            }
            return Detector::column_of(Detector::features - 1).name[0] == 'c' ? 0 : 1;
        }""", encoding="utf-8")
    build.run(["g++", *build.COMMON, "-O0", "-I", build.INCLUDE, *build.system_flags(eigen), folder / "main.cpp", "-o",
               folder / "main"])
    found = [float(line) for line in build.execute("host", folder / "main").split()]
    with open(folder / "scores.csv", encoding="utf-8", newline="") as scored:
        expected = [float(row["score"]) for row in csv.DictReader(scored)]
    worst = max(abs(a - b) / max(1, abs(b)) for a, b in zip(found, expected, strict=True))
    check(worst < 1e-4, f"coded cells: scores as the program's, {worst:.1e} off at most")


def check_weights(weights, targets):
    """Weights of fewer bits: the self-test passes on a device, which says what the host says."""
    folder = work / weights
    folder.mkdir(exist_ok=True)
    build.export_detector(options.program, work, folder, ["--weights", weights, "--normals", work / "other.csv"])
    outputs = []
    for target in targets:
        build.build(target, "-O0" if target == "host" else "-Os", folder, eigen, folder / target)
        outputs.append(build.execute(target, folder / target))
        check("self-test passed" in outputs[-1] and "alarm at window 30" in outputs[-1],
              f"{weights}, {target}: the alarm comes")
        check(same_everywhere(outputs[-1]) == same_everywhere(outputs[0]), f"{weights}, {target}: as on the host")


def check_learned(name, fit, rounding, targets):
    """Scores that learned: nearest neighbours, a mixture and more go into flash with the model, or with several."""
    folder = work / name
    folder.mkdir(exist_ok=True)
    model, scored = folder / "m", folder / "scores.csv"
    build.run([options.program, "fit", work / "normal.csv", "--model", model, "--epochs", "2", "--quiet", *fit])
    to_header = [options.program, "export", model, "--header", folder / "detector.hpp", "--namespace", "vibration"]
    claimed = export(to_header)
    build.run([options.program, "score", work / "other.csv", "--model", model, "--out", scored])
    rows = 40
    build_with_kernels(folder, write_rows(folder, rows), folder / "rows")
    words = re.findall(r"\b[0-9a-f]{8}\b", build.execute("host", folder / "rows"))
    found = [struct.unpack(">f", bytes.fromhex(word))[0] for word in words]
    with open(scored, encoding="utf-8", newline="") as table:
        expected = [float(row["score"]) for row in csv.DictReader(table)][:rows]
    worst = max(abs(a - b) / max(1, abs(b)) for a, b in zip(found, expected, strict=True))
    check(worst < 1e-5, f"{name}: scores of {rows} rows as the program's, {worst:.1e} off at most")
    if rounding:
        build.run([*to_header, *rounding])
    outputs = []
    for target, optimisation in targets:
        image = folder / f"{target}{optimisation}"
        room = ["-DMOST_FLASH=448*1024", "-DMOST_ARENA=8*1024"]
        build.build(target, optimisation, folder, eigen, image, more=room)
        outputs.append(build.execute(target, image))
        check("self-test passed" in outputs[-1] and "alarm at window 30" in outputs[-1],
              f"{name}, {target}: the alarm comes")
        if target in build.MACHINES:
            check(same_everywhere(outputs[-1]) == same_everywhere(outputs[0]), f"{name}, {target}: bit for bit as on the host")
            check_symbols(image)
            print(f"{name}, {target}{optimisation}: {figure(outputs[-1], 'instructions')} instructions a score, "
                  f"{figure(outputs[-1], 'stack')} bytes of stack")
    if len(targets) > 1:
        check_code(folder, name, SOURCES["all"], claimed)


def check_whole():
    """A detector of the program's default size: code, constants and all, with int8 weights and with float32's."""
    bytes_of = {}
    for weights, more in (("float32", []), ("int8", ["--normals", work / "other.csv"])):
        folder = work / f"whole_{weights}"
        folder.mkdir(exist_ok=True)
        if not bytes_of:
            model = folder / "m"
            build.run([options.program, "fit", work / "normal.csv", "--model", model, "--score", "negative-elbo",
                       "--epochs", "1", "--quiet"])
        build.run([options.program, "export", model, "--header", folder / "detector.hpp", "--weights", weights, *more])
        bytes_of[weights] = build.whole_flash(folder, eigen)
    share = bytes_of["int8"]["all"] / bytes_of["float32"]["all"]
    check(share <= MOST_OF_FLOAT, f"m4f -Os, the whole detector of default size, int8: {100 * share:.1f}% of the flash of "
                                  f"float32, at most {100 * MOST_OF_FLOAT:.0f}%: {bytes_of}")


def check_training():
    """Training on a device: better where it can be, taken back where it is not, and the bits of the host."""
    outputs = []
    for target, optimisation in (("host", "-O0"), ("m4f", "-Os")):
        if build.missing_tools(target):
            continue
        image = work / f"training_{target}"
        build.build(target, optimisation, work, eigen, image, example="training.cpp")
        outputs.append(build.execute(target, image))
    print(outputs[-1])
    found = [int(number) for number in re.findall(r"(?:before|afterwards|better|back|promised) (\d+)$", outputs[0],
                                                  re.MULTILINE)]
    check(found[0] >= 50 and found[1] == 1 and found[2] <= 10, f"training: {found[0]} alarms in 100 windows before, "
                                                               f"{found[2]} afterwards")
    check(found[3:] == [0, 1, 1], "training: what made it worse is taken back, and the arena is as large as promised")
    check(all(same_everywhere(output) == same_everywhere(outputs[0]) for output in outputs),
          "training: weights and scores on the device are the host's, bit for bit")
    if len(outputs) > 1:
        check_symbols(work / "training_m4f")


def run_host():
    build.build("host", "-O2", work, eigen, work / "host")
    return build.execute("host", work / "host")


def check_target(target, optimisation, expected):
    name = f"{target}{optimisation}"
    image = work / name
    build.build(target, optimisation, work, eigen, image)
    output = build.execute(target, image)
    is_same = same_everywhere(output) == same_everywhere(expected.result())
    check(is_same, f"{name}: says what the host says, bit for bit" + ("" if is_same else ":\n" + output))
    if target not in build.MACHINES:
        return
    check_symbols(image)
    stack = figure(output, "stack")
    check(stack <= MOST_STACK, f"{name}: {stack} bytes of stack by painting, at most {MOST_STACK}")
    count = figure(output, "instructions")
    if name == "m4f-O2":
        check(count <= MOST_INSTRUCTIONS, f"{name}: {count} instructions a score, at most {MOST_INSTRUCTIONS}")
    else:
        print(f"{name}: {count} instructions a score", flush=True)


build.make_detector(options.program, work, eigen)
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    host = pool.submit(run_host)  # the first: others wait for it
    jobs = [host, pool.submit(check_columns)]
    targets = []
    if not options.host_only:
        jobs.append(pool.submit(check_training))  # the longest
        for target in options.targets:
            missing = build.missing_tools(target)
            if missing:
                print(f"{target}: left out, there is no {', '.join(missing)}")
                continue
            targets.append(target)
            for optimisation in ("-O2",) if target == "aarch64" else ("-Os", "-O2"):
                jobs.append(pool.submit(check_target, target, optimisation, host))
        jobs.append(pool.submit(check_other_arithmetic, targets))
        if "m4f" in targets:
            jobs += [pool.submit(check_budget, name) for name in SOURCES]
            jobs.append(pool.submit(check_weights, "int8", ["host", "m4f"]))
            jobs.append(pool.submit(check_whole))
            jobs.append(pool.submit(check_estimates))
            both = [("host", "-O0"), ("m4f", "-Os")]
            jobs.append(pool.submit(check_learned, "learned", ["--fast"], [], both))
            # With int8 weights all four of the default's models have room there.
            int8 = ["--weights", "int8", "--normals", work / "other.csv"]
            jobs.append(pool.submit(check_learned, "ensemble", [], int8, both))
    jobs.append(pool.submit(check_weights, "bfloat16", ["host"]))
    for job in jobs:
        job.result()
expected = host.result()
print(expected)
check("self-test passed" in expected, "host: the self-test passes")
check("alarm at window 30" in expected, "host: the alarm comes with the fault and not before")
if not targets and not options.host_only:
    print("skipped: no compiler or emulator for another processor")
print(f"{len(targets)} targets, {len(failures)} failures")
sys.exit(1 if failures else 0)
