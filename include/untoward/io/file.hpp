// SPDX-License-Identifier: MIT
#pragma once

// Whole files in, whole files out (POSIX). Every failure is an `untoward::Error` that names the file; nothing
// is ever half written.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "../core/error.hpp"
#include "../setting.hpp"

namespace untoward UNTOWARD_SETTING::io {

/// How a path that is read reads in a message; "-" is standard input.
inline std::string input_name(const std::string& path) {
    return path == "-" ? "standard input" : path;
}

/// How a path that is written reads in a message; "-" is standard output.
inline std::string output_name(const std::string& path) {
    return path == "-" ? "standard output" : path;
}

/// The bytes of a text, as the binary parsers take them.
inline std::span<const std::byte> as_bytes(std::string_view text) {
    return std::as_bytes(std::span<const char>(text.data(), text.size()));
}

namespace detail {

inline std::string system_message(int code) {
    return std::generic_category().message(code);
}

// The folder of a path with its last slash, or "". Without <filesystem>: to include it alone would cost every
// program 20 MB of the compiler's memory.
inline std::string folder_of(const std::string& path) {
    return path.substr(0, path.rfind('/') + 1);
}

/// A POSIX file descriptor, closed at the end of its scope unless it is a standard one.
class Descriptor {
public:
    explicit Descriptor(int value) : value_(value) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { close(); }

    int get() const { return value_; }

    /// Returns false when closing reports an error (network file systems report a full disk only here).
    bool close() {
        const int value = value_;
        value_ = -1;
        return value <= STDERR_FILENO || ::close(value) == 0;
    }

private:
    int value_;
};

}  // namespace detail

/// All bytes of a file, a pipe, or of standard input when `path` is "-".
/// Threads: from any; the same holds of all that reads by it (tables, arrays, detectors).
/// Throws Error when it is missing, a directory, unreadable, or larger than memory.
inline std::string read_file(const std::string& path) {
    const std::string name = input_name(path);
    const detail::Descriptor file(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
        fail(name, ": cannot be opened: ", detail::system_message(errno));
    }
    if (S_ISDIR(status.st_mode)) fail(name, ": is a directory, expected a file");
    // One byte more than the file has, so that the read that finds the end needs no larger buffer.
    std::size_t room = S_ISREG(status.st_mode) ? static_cast<std::size_t>(status.st_size) + 1 : 65536;
    try {
        std::string bytes;
        std::size_t used = 0;
        for (;;) {
            if (used == bytes.size()) bytes.resize(used == 0 ? room : 2 * used);
            const ssize_t got = ::read(file.get(), bytes.data() + used, bytes.size() - used);
            if (got == 0) break;
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) fail(name, ": cannot be read: ", detail::system_message(errno));
            used += static_cast<std::size_t>(got);
        }
        bytes.resize(used);
        return bytes;
    } catch (const std::bad_alloc&) {
        fail(name, ": is too large for the memory of this machine");
    } catch (const std::length_error&) {
        fail(name, ": is too large for the memory of this machine");
    }
}

/// A file that appears whole or not at all. Bytes go to a temporary file in the same directory; `commit`
/// flushes it to the disk and renames it over `path`. Without `commit` (an exception on the way, a full disk)
/// the temporary is removed and an older file at `path` stays as it was. A symbolic link is followed, the
/// mode of an older file is kept. "-" and "/dev/stdout" are standard output; what exists and is no regular
/// file (a pipe, /dev/null, /dev/full) is written directly. Throws Error from the constructor, `write` and
/// `commit`; the message names the file.
///
/// Threads: one for each file being written. Where several, or several processes, write the same path at once, it is one
/// of theirs in the end, and whole.
class AtomicFile {
public:
    explicit AtomicFile(const std::string& path)
        : name_(output_name(path)), target_(path), file_(open(path)) {
        if (file_.get() < 0) fail(name_, ": cannot be written: ", detail::system_message(errno));
    }
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;
    ~AtomicFile() { discard(); }

    void write(std::string_view bytes) {
        if (buffer_.size() + bytes.size() >= buffer_limit) flush();
        if (bytes.size() >= buffer_limit) {
            write_now(bytes);
        } else {
            buffer_.append(bytes);
        }
    }

    /// Makes the file what `path` names. Call it once, last.
    void commit() {
        flush();
        if (temporary_.empty()) {
            check(file_.close());
            return;
        }
        // Some file systems cannot flush one file; that is no loss of data.
        check(::fsync(file_.get()) == 0 || errno == EINVAL || errno == ENOTSUP);
        check(file_.close());
        check(::rename(temporary_.c_str(), target_.c_str()) == 0);
        temporary_.clear();
        // The rename itself reaches the disk with the directory. Best effort: some file systems refuse it.
        const std::string directory = detail::folder_of(target_);
        const detail::Descriptor folder(
            ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (folder.get() >= 0) static_cast<void>(::fsync(folder.get()));
    }

    const std::string& name() const { return name_; }

private:
    static constexpr std::size_t buffer_limit = 1 << 16;

    int open(const std::string& path) {
        if (path == "-" || path == "/dev/stdout") {
            std::fflush(stdout);  // what the program printed before comes first
            return STDOUT_FILENO;
        }
        struct stat old {};
        const bool exists = ::stat(path.c_str(), &old) == 0;
        if (!exists && errno != ENOENT) return -1;
        if (exists && S_ISDIR(old.st_mode)) fail(name_, ": is a directory, expected a file");
        if (exists && !S_ISREG(old.st_mode)) return ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
        if (exists && ::access(path.c_str(), W_OK) != 0) return -1;
        if (char* const real = exists ? ::realpath(path.c_str(), nullptr) : nullptr; real != nullptr) {
            target_ = real;
            std::free(real);
        }
        const int file = open_temporary();
        // Best effort: who may write a file need not be allowed to change its mode.
        if (exists && file >= 0) static_cast<void>(::fchmod(file, old.st_mode & 0777U));
        return file;
    }

    int open_temporary() {
        static std::atomic<unsigned> counter{0};
        for (;;) {
            temporary_ = detail::folder_of(target_) + ".untoward-" + std::to_string(::getpid()) + "-" +
                         std::to_string(counter++) + ".tmp";
            const int descriptor = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
            if (descriptor >= 0) return descriptor;
            if (errno == EEXIST) continue;  // left by a process of the same number that was killed
            const int reason = errno;
            temporary_.clear();
            errno = reason;
            return -1;
        }
    }

    void flush() {
        write_now(buffer_);
        buffer_.clear();
    }

    void write_now(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t done = ::write(file_.get(), bytes.data(), bytes.size());
            if (done < 0 && errno == EINTR) continue;
            check(done > 0);
            bytes.remove_prefix(static_cast<std::size_t>(done));
        }
    }

    void check(bool good) {
        if (good) return;
        const int reason = errno;
        discard();
        fail(name_, ": cannot be written: ", detail::system_message(reason));
    }

    void discard() {
        if (!temporary_.empty()) ::unlink(temporary_.c_str());
        temporary_.clear();
    }

    std::string name_;       // for messages
    std::string target_;     // what the temporary file is renamed to
    std::string temporary_;  // empty when there is none, or none any more
    std::string buffer_;
    detail::Descriptor file_;
};

/// Writes a whole file at once, as AtomicFile does.
inline void write_file(const std::string& path, std::string_view bytes) {
    AtomicFile file(path);
    file.write(bytes);
    file.commit();
}

}  // namespace untoward::io
