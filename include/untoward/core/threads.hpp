// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "../config.hpp"
#include "error.hpp"

namespace untoward UNTOWARD_SETTING {

/// Threads that wait for work and share it out among themselves. Work is numbered tasks that do not look at each
/// other's results: so the results are the same, to the bit, whatever the number of threads.
///
///     Threads threads(4);
///     const auto scores = detector.score(samples, threads);
///
/// The thread that calls `run` is one of them. Where the C library is older than glibc 2.34, link with -pthread.
///
/// Threads: one object may be shared by any number of callers, and a task may call `run` again, of this object or of
/// another. Who calls while the helpers are busy does not wait for them: it works by itself, and gets their help for
/// what is left once they are free. So no call can wait for a call that waits for it, and a thread that scores one
/// request is never held up by another's. The object must outlive its calls, and is of no use in a process made by
/// fork(), where its helpers are not.
class Threads {
public:
    /// `count` threads in all; 0: as many as the processor runs at once. Throws Error: a negative number, or more
    /// threads than the system gives.
    explicit Threads(Index count = 1) {
        constexpr Index most = 1024;
        if (count < 0 || count > most)
            fail("the number of threads is ", count, ", expected 1 to ", most, ", or 0 for all");
        if (count == 0) count = std::max<Index>(static_cast<Index>(std::thread::hardware_concurrency()), 1);
        try {
            for (Index i = 1; i < count; ++i) helpers_.emplace_back([this, i] { help(i); });
        } catch (const std::exception& e) {
            end();
            fail("thread ", helpers_.size() + 2, " of ", count, " cannot be started: ", e.what());
        }
    }
    Threads(const Threads&) = delete;
    Threads& operator=(const Threads&) = delete;
    ~Threads() { end(); }

    [[nodiscard]] Index count() const { return static_cast<Index>(helpers_.size()) + 1; }

    /// task(i, thread) for i = 0, ..., tasks - 1, each once; `thread` is 0, ..., count() - 1, and no two tasks of one
    /// call that run at the same time have the same. Returns when all are done. What a task throws is thrown again
    /// here, to the call whose task it was, after all others of that call have ended; tasks that were not begun by then
    /// are left out. A call within a task counts its threads anew.
    template <class Task>
    void run(Index tasks, const Task& task) {
        Index first = 0;
        while (tasks - first > 1 && !helpers_.empty()) {
            if (is_free()) return share(first, tasks, task);
            task(first++, Index{0});
        }
        for (; first < tasks; ++first) task(first, Index{0});
    }

private:
    // Whether the helpers are this caller's from now on. A task that calls `run` finds them taken, by its own round or
    // by another's, and waits for nobody.
    bool is_free() {
        return !taken_.load(std::memory_order_relaxed) && !taken_.exchange(true, std::memory_order_acquire);
    }

    // Tasks first, ..., tasks - 1 by all.
    template <class Task>
    void share(Index first, Index tasks, const Task& task) {
        {
            const std::lock_guard lock(mutex_);
            call_ = [](const void* erased, Index i, Index thread) {
                (*static_cast<const Task*>(erased))(i, thread);
            };
            task_ = &task;
            tasks_ = tasks;
            next_.store(first, std::memory_order_relaxed);
            working_ = static_cast<Index>(helpers_.size());
            ++round_;
        }
        begin_.notify_all();
        work(0);
        std::exception_ptr error;
        {
            std::unique_lock lock(mutex_);
            end_.wait(lock, [this] { return working_ == 0; });
            error = std::exchange(error_, nullptr);
        }
        taken_.store(false, std::memory_order_release);
        if (error != nullptr) std::rethrow_exception(error);
    }

    void work(Index thread) {
        try {
            for (;;) {
                const Index i = next_.fetch_add(1, std::memory_order_relaxed);
                if (i >= tasks_) return;
                call_(task_, i, thread);
            }
        } catch (...) {
            next_.store(tasks_, std::memory_order_relaxed);
            const std::lock_guard lock(mutex_);
            if (error_ == nullptr) error_ = std::current_exception();
        }
    }

    void help(Index thread) {
        std::uint64_t seen = 0;
        std::unique_lock lock(mutex_);
        for (;;) {
            begin_.wait(lock, [&] { return round_ != seen || over_; });
            if (over_) return;
            seen = round_;
            lock.unlock();
            work(thread);
            lock.lock();
            if (--working_ == 0) end_.notify_one();
        }
    }

    void end() {
        {
            const std::lock_guard lock(mutex_);
            over_ = true;
        }
        begin_.notify_all();
        for (std::thread& helper : helpers_) helper.join();
        helpers_.clear();
    }

    std::atomic<bool> taken_{false};  // by the caller whose round it is
    std::mutex mutex_;                // of all that follows, save what a round leaves alone while it lasts
    std::condition_variable begin_;
    std::condition_variable end_;
    void (*call_)(const void*, Index, Index) = nullptr;
    const void* task_ = nullptr;
    Index tasks_ = 0;
    std::atomic<Index> next_{0};
    Index working_ = 0;
    std::uint64_t round_ = 0;
    bool over_ = false;
    std::exception_ptr error_;
    std::vector<std::thread> helpers_;
};

}  // namespace untoward
