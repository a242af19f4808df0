// SPDX-License-Identifier: MIT
#include "untoward/io/file.hpp"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>

#include "io/folder.hpp"
#include "support/catch.hpp"

namespace io = untoward::io;
using Catch::Matchers::ContainsSubstring;
using untoward_test::Folder;

namespace {

/// Files may grow to `bytes` only: as a full disk, for this process.
class SizeLimit {
public:
    explicit SizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &old_);
        rlimit limit = old_;
        limit.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    SizeLimit(const SizeLimit&) = delete;
    SizeLimit& operator=(const SizeLimit&) = delete;
    ~SizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &old_);
        std::signal(SIGXFSZ, handler_);
    }

private:
    rlimit old_{};
    void (*handler_)(int);
};

/// A standard stream (0, 1) that is a file of this path for a while.
class Redirected {
public:
    Redirected(int stream, const std::string& path) : stream_(stream), saved_(::dup(stream)) {
        std::fflush(nullptr);
        const int file = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
        ::dup2(file, stream_);
        ::close(file);
    }
    Redirected(const Redirected&) = delete;
    Redirected& operator=(const Redirected&) = delete;
    ~Redirected() {
        std::fflush(nullptr);
        ::dup2(saved_, stream_);
        ::close(saved_);
    }

private:
    int stream_;
    int saved_;
};

}  // namespace

TEST_CASE("a file comes back as it was written") {
    const Folder folder;
    const std::string path = folder / "data.bin";
    for (const std::size_t size : {0U, 1U, 65535U, 65536U, 65537U, 1000000U}) {
        std::string bytes(size, '\0');
        for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 2654435761U >> 11);
        io::write_file(path, bytes);
        REQUIRE(io::read_file(path) == bytes);
    }
    REQUIRE(folder.entries() == 1);
}

TEST_CASE("many small writes and large ones keep their order") {
    const Folder folder;
    const std::string path = folder / "data.txt";
    std::string expected;
    io::AtomicFile file(path);
    for (int i = 0; i < 30000; ++i) {
        const std::string part = i % 9999 == 0 ? std::string(70000, 'x') : std::to_string(i) + "\n";
        file.write(part);
        expected += part;
    }
    REQUIRE_FALSE(std::filesystem::exists(path));
    file.commit();
    REQUIRE(io::read_file(path) == expected);
}

TEST_CASE("what cannot be read says why") {
    const Folder folder;
    REQUIRE_THROWS_WITH(io::read_file(folder / "none.csv"),
                        ContainsSubstring("none.csv: cannot be opened") && ContainsSubstring("No such file"));
    REQUIRE_THROWS_WITH(io::read_file(folder.path().string()), ContainsSubstring("is a directory"));
    REQUIRE_THROWS_AS(io::read_file(""), untoward::Error);
    const std::string secret = folder / "secret.csv";
    io::write_file(secret, "x");
    ::chmod(secret.c_str(), 0);
    if (::access(secret.c_str(), R_OK) != 0) {  // nothing is unreadable to root
        REQUIRE_THROWS_WITH(io::read_file(secret), ContainsSubstring("Permission denied"));
    }
}

TEST_CASE("a pipe is read to its end") {
    const Folder folder;
    const std::string path = folder / "pipe";
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    const std::string bytes(300000, 'p');
    // A pipe exists and is no regular file: it is written directly, not replaced.
    std::thread writer([&] { io::write_file(path, bytes); });
    const std::string read = io::read_file(path);
    writer.join();
    REQUIRE(read == bytes);
    REQUIRE(std::filesystem::is_fifo(path));
}

TEST_CASE("a dash is standard input and output") {
    const Folder folder;
    const std::string path = folder / "stream";
    {
        const Redirected output(STDOUT_FILENO, path);
        std::printf("first ");  // still in the buffer of the C library
        io::write_file("-", "second ");
        io::write_file("/dev/stdout", "third");
        std::printf(" last");
    }
    REQUIRE(io::read_file(path) == "first second third last");
    std::string read;
    {
        const Redirected input(STDIN_FILENO, path);
        read = io::read_file("-");
    }
    REQUIRE(read == "first second third last");
    std::string message;
    {
        const Redirected output(STDOUT_FILENO, "/dev/full");
        try {
            io::write_file("-", "x");
        } catch (const untoward::Error& error) {
            message = error.what();
        }
    }
    REQUIRE(message == "standard output: cannot be written: No space left on device");
    {
        const Redirected input(STDIN_FILENO, folder / "empty");
        read = io::read_file("-");
    }
    REQUIRE(read.empty());
}

TEST_CASE("without commit nothing happens") {
    const Folder folder;
    const std::string path = folder / "model";
    io::write_file(path, "old");
    {
        io::AtomicFile file(path);
        file.write(std::string(200000, 'n'));
        REQUIRE(folder.entries() == 2);
    }
    REQUIRE(io::read_file(path) == "old");
    REQUIRE(folder.entries() == 1);
}

TEST_CASE("a full disk is an error and the old file stays") {
    const Folder folder;
    const std::string path = folder / "model";
    io::write_file(path, "old");
    const std::string bytes(100000, 'n');
    {
        const SizeLimit limit(50000);
        REQUIRE_THROWS_WITH(
            io::write_file(path, bytes),
            ContainsSubstring(path) && ContainsSubstring("cannot be written: File too large"));
    }
    REQUIRE(io::read_file(path) == "old");
    REQUIRE(folder.entries() == 1);
    // Whatever fits in the buffer fails in commit().
    REQUIRE_THROWS_WITH(io::write_file("/dev/full", "x"),
                        ContainsSubstring("/dev/full: cannot be written: No space left"));
    REQUIRE_THROWS_WITH(io::write_file("/dev/full", bytes), ContainsSubstring("No space left"));
    REQUIRE(std::filesystem::is_character_file("/dev/full"));
    io::write_file("/dev/null", bytes);
    REQUIRE(std::filesystem::is_character_file("/dev/null"));
}

TEST_CASE("an unwritable place is an error that names the file") {
    const Folder folder;
    REQUIRE_THROWS_WITH(io::write_file(folder / "no/such/folder/m", "x"),
                        ContainsSubstring("no/such/folder/m: cannot be written: No such file or directory"));
    REQUIRE_THROWS_WITH(io::write_file(folder.path().string(), "x"), ContainsSubstring("is a directory"));
    io::write_file(folder / "file", "x");
    REQUIRE_THROWS_WITH(io::write_file(folder / "file/m", "x"), ContainsSubstring("Not a directory"));
    REQUIRE_THROWS_WITH(io::write_file("/proc/untoward", "x"),
                        ContainsSubstring("/proc/untoward: cannot be written"));
    REQUIRE_THROWS_AS(io::write_file("", "x"), untoward::Error);
}

TEST_CASE("a link is followed and the mode is kept") {
    const Folder folder;
    const std::string path = folder / "real";
    const std::string link = folder / "link";
    io::write_file(path, "old");
    ::chmod(path.c_str(), 0640);
    std::filesystem::create_symlink("real", link);
    io::write_file(link, "new");
    REQUIRE(std::filesystem::is_symlink(link));
    REQUIRE(io::read_file(path) == "new");
    REQUIRE((static_cast<unsigned>(std::filesystem::status(path).permissions()) & 0777U) == 0640U);
    REQUIRE(folder.entries() == 2);
}

TEST_CASE("a new file has the usual mode, in the working directory too") {
    const Folder folder;
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(folder.path());
    const ::mode_t mask = ::umask(022);
    io::write_file("plain", "x");
    ::umask(mask);
    const std::string read = io::read_file("plain");
    std::filesystem::current_path(before);
    REQUIRE(read == "x");
    REQUIRE((static_cast<unsigned>(std::filesystem::status(folder / "plain").permissions()) & 0777U) ==
            0644U);
}
