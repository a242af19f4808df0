#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tests of core, io and detector on one more platform: another compiler, another standard library, or another processor
under an emulator.

    tests/platforms/platforms.py PLATFORM [--only REGEX] [--jobs N] [--out DIR] [--again]

A program is what several files of one room are together (support/groups.py), or one file that needs options or macros of its own.
What has passed is remembered in the folder and not built again while nothing of the library or the tests changed; --again
forgets it. The last line says how many programs passed. Needs Catch2 version 2, Eigen and the packages that tests/run.sh
names; libcxx is unpacked into the folder, since Debian can have only one version installed.
"""
import argparse
import concurrent.futures
import dataclasses
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

TESTS = pathlib.Path(__file__).resolve().parent.parent
LIBRARY = TESTS.parent / "include"
ROOMS = ["core", "io", "detector"]
TOGETHER = 5  # files in a program
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
LIMIT = 1800  # seconds for a program: an emulator is slow
# As in tests/CMakeLists.txt.
ALONE = {"core/self_check"}  # it specialises what is the library's
OPTIONS = {"core/optimised": ["-O3"], "detector/sizes": ["-DNDEBUG"]}
# g++ 12 is wrong about `"literal" + std::string`: its bug 105651.
GNU = ["-Wno-restrict"]
LIBCXX = ["libc++-19-dev", "libc++1-19", "libc++abi-19-dev", "libc++abi1-19", "libunwind-19"]
# These ask for what Windows has not.
NO_POSIX = {"core/arena": "fork", "core/elementwise": "mmap", "core/packed": "mmap", "core/product": "mmap",
            "io/file": "POSIX modes, links and limits"}


@dataclasses.dataclass
class Platform:
    compiler: str
    flags: list = dataclasses.field(default_factory=list)
    link: list = dataclasses.field(default_factory=list)
    emulator: list = dataclasses.field(default_factory=list)
    suffix: str = ""
    left_out: dict = dataclasses.field(default_factory=dict)
    unpacked: list = dataclasses.field(default_factory=list)


PLATFORMS = {
    "clang19": Platform("clang++-19"),
    "libcxx": Platform("clang++-19", unpacked=LIBCXX),
    "riscv64": Platform("riscv64-linux-gnu-g++", GNU, emulator=["qemu-riscv64", "-L", "/usr/riscv64-linux-gnu"]),
    "s390x": Platform("s390x-linux-gnu-g++", GNU, emulator=["qemu-s390x", "-L", "/usr/s390x-linux-gnu"]),
    "mingw": Platform("x86_64-w64-mingw32-g++-posix", GNU + ["-Wa,-mbig-obj"], link=["-static"], emulator=["wine64"],
                      suffix=".exe", left_out=NO_POSIX),
}


def run(command, **options):
    """Runs a command in a group of its own, so that an emulator that hangs is ended with what it started."""
    limit = options.pop("timeout", None)
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", stdin=subprocess.DEVNULL, start_new_session=True, **options) as process:
        try:
            text, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            text, _ = process.communicate()
            return 124, text + f"\nstopped after {limit} s"
    return process.returncode, text


def unpack(packages, folder):
    """Packages of Debian as files in a folder: nothing is installed, so nothing can be removed."""
    root = folder / "root"
    if not (folder / "complete").exists():
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        # As root, apt-get downloads as the user _apt, who may not write here, and says so; it downloads all the same.
        status, text = run(["apt-get", "-qq", "download", *packages], cwd=folder)
        if status:
            sys.exit(f"apt-get download {' '.join(packages)}:\n{text}")
        for package in sorted(folder.glob("*.deb")):
            subprocess.run(["dpkg-deb", "-x", package, root], check=True)
        (folder / "complete").touch()
    return root


def stamp():
    """What the library and the tests are now."""
    digest = hashlib.sha256(str(sys.argv[0]).encode())
    for folder in (LIBRARY, *(TESTS / room for room in ROOMS), TESTS / "support", TESTS / "platforms"):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                digest.update(path.as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def programs_of(platform):
    """Name and files of every program, and why a file is left out."""
    programs, left_out = {}, {}
    for room in ROOMS:
        shared = []
        for path in sorted((TESTS / room).glob("*.cpp")):
            name = f"{room}/{path.stem}"
            if re.search(r"_(tsan|v3|v4|on_data|must_not_compile)$", name):
                continue
            if name in platform.left_out:
                left_out[name] = platform.left_out[name]
            elif name in ALONE or name in OPTIONS or re.search(r"^#define UNTOWARD_", path.read_text(encoding="utf-8"), re.M):
                programs[name.replace("/", ".")] = [f"{name}.cpp"]
            else:
                shared.append(f"{name}.cpp")
        count = -(-len(shared) // TOGETHER)
        for k in range(count):
            programs[f"{room}_{k + 1}"] = shared[k * len(shared) // count:(k + 1) * len(shared) // count]
    return programs, left_out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("platform", choices=PLATFORMS)
    parser.add_argument("--only", default="", help="programs whose name or files this expression finds")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=pathlib.Path, help="default: build/platforms/PLATFORM")
    parser.add_argument("--eigen", default="/usr/include/eigen3")
    parser.add_argument("--catch", default="/usr/include/catch2", help="the folder with catch.hpp")
    parser.add_argument("--again", action="store_true", help="also what has passed before")
    options = parser.parse_args()
    platform = PLATFORMS[options.platform]
    out = (options.out or pathlib.Path("build/platforms") / options.platform).resolve()
    out.mkdir(parents=True, exist_ok=True)
    for tool in (platform.compiler, *platform.emulator[:1]):
        if not shutil.which(tool):
            sys.exit(f"{options.platform}: {tool} is not here; tests/run.sh --full={options.platform} installs it")
    # A cross compiler must not find the host's C headers: these two, and nothing else of /usr/include.
    system = out / "include"
    system.mkdir(exist_ok=True)
    for link, target in ((system / "catch2", options.catch), (system / "eigen3", options.eigen)):
        if not link.exists():
            link.symlink_to(target)
    flags, link = [*platform.flags], [*platform.link]
    if platform.unpacked:
        llvm = unpack(platform.unpacked, out / "packages") / "usr/lib" / f"llvm-{platform.compiler.split('-')[-1]}"
        flags += ["-nostdinc++", "-isystem", llvm / "include/c++/v1"]
        link += ["-stdlib=libc++", "-L", llvm / "lib", f"-Wl,-rpath,{llvm / 'lib'}"]
    flags = ["-std=c++20", "-O1", "-UNDEBUG", *WARNINGS, *flags, "-I", TESTS, "-I", LIBRARY, "-isystem", system,
             "-isystem", system / "eigen3", "-pthread"]
    environment = {**os.environ, "UNTOWARD_TESTS": str(TESTS), "WINEPREFIX": str(out / "wine"), "WINEDEBUG": "-all"}

    now, passed = stamp(), out / "passed"
    known = passed.read_text(encoding="utf-8").split("\n") if passed.exists() and not options.again else []
    known = set(known[1:]) if known[:1] == [now] else set()
    programs, left_out = programs_of(platform)
    programs = {name: sources for name, sources in programs.items()
                if re.search(options.only, name) or any(re.search(options.only, source) for source in sources)}
    if not programs:
        sys.exit(f"no program matches {options.only!r}")
    for name, reason in left_out.items():
        print(f"left out: {name}: needs {reason}")

    def compiled(source, target, *more):
        return run([platform.compiler, *flags, *more, "-c", source, "-o", target])

    def shared_object(name):
        """What every program has: its main program, and the count of allocations."""
        target = out / f"{name}.o"
        status, text = compiled(TESTS / "support" / f"{name}.cpp", target, "-O0", "-w")
        if status:
            sys.exit(f"{options.platform}: tests/support/{name}.cpp cannot be built\n{text[:3000]}")
        return target

    def build_and_run(name, sources):
        """Whether a program passes, how long it took, and what it or the compiler said."""
        start = time.time()
        if name in known:
            return True, "passed before", ""
        first = sources[0].removesuffix(".cpp")
        source = TESTS / sources[0]
        if len(sources) > 1:
            source = out / f"{name}.cpp"
            subprocess.run([sys.executable, "-B", TESTS / "support/groups.py", "--tests", TESTS, "--output", source, *sources],
                           check=True)
        target, program = out / f"{name}.o", out / f"test_{name}{platform.suffix}"
        status, text = compiled(source, target, *OPTIONS.get(first, []))
        if status == 0:
            status, text = run([platform.compiler, target, *objects, "-pthread", *link, "-o", program])
            target.unlink()
        if status:
            errors = re.findall(r"^.*\berror: .*$", text, re.M)
            return False, f"not built, {time.time() - start:.0f} s", "\n".join(errors[:12]) + "\n" + text[:3000]
        built = time.time()
        folder = out / "work" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        status, text = run([*platform.emulator, program], cwd=folder, env=environment, timeout=LIMIT)
        took = f"built in {built - start:.0f} s, run in {time.time() - built:.0f} s"
        summary = re.search(r"All tests passed \((\d+) assertion", text)
        if status or summary is None:
            return False, f"FAILED, {took}", f"exit code {status}\n{text[-6000:]}"
        program.unlink()
        return True, f"passed ({summary.group(1)} assertions), {took}", ""

    began, good, problems = time.time(), 0, []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        objects = list(pool.map(shared_object, ["main", "allocation"]))
        jobs = {pool.submit(build_and_run, name, sources): name for name, sources in programs.items()}
        for job in concurrent.futures.as_completed(jobs):
            name = jobs[job]
            is_right, what, text = job.result()
            print(f"{time.time() - began:6.0f} s  {options.platform}, {name} "
                  f"({' '.join(source.removesuffix('.cpp') for source in programs[name])}): {what}", flush=True)
            if is_right:
                good += 1
                known.add(name)
                passed.write_text("\n".join([now, *sorted(known)]), encoding="utf-8")
            else:
                problems.append(f"{options.platform}, {name}: {text}")
    print(*problems, sep="\n\n")
    print(f"{options.platform}: {good} of {len(programs)} programs passed, {time.time() - began:.0f} s")
    return 0 if good == len(programs) else 1


if __name__ == "__main__":
    sys.exit(main())
