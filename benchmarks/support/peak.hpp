// SPDX-License-Identifier: MIT
#pragma once

// What one core can do: fused multiply-adds of floats on registers alone, as many a second as there can be. It
// is measured beside each workload, since a processor's clock is not the same from one second to the next.

#include <ctime>
#include <untoward/core/instruction_set.hpp>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace bench {

/// Seconds of processor time of this thread: what others do on the machine disturbs it least.
inline double thread_seconds() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}
/// Seconds by the clock: for work on several threads.
inline double wall_seconds() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

namespace detail {

// Twelve sums that do not wait for each other hide the latency of an instruction (four cycles, two a cycle)
// and, with two factors, fit the sixteen registers of AVX2.
inline constexpr int chains = 12;

#if defined(__x86_64__)
__attribute__((target("avx512f"), noinline)) inline float fma_avx512(long n) {
    const __m512 factor = _mm512_set1_ps(0.5f);
    const __m512 term = _mm512_set1_ps(1.0f);
    __m512 a = term, b = term, c = term, d = term, e = term, f = term;
    __m512 g = term, h = term, i = term, j = term, k = term, l = term;
    for (; n > 0; --n) {
        a = _mm512_fmadd_ps(a, factor, term), b = _mm512_fmadd_ps(b, factor, term);
        c = _mm512_fmadd_ps(c, factor, term), d = _mm512_fmadd_ps(d, factor, term);
        e = _mm512_fmadd_ps(e, factor, term), f = _mm512_fmadd_ps(f, factor, term);
        g = _mm512_fmadd_ps(g, factor, term), h = _mm512_fmadd_ps(h, factor, term);
        i = _mm512_fmadd_ps(i, factor, term), j = _mm512_fmadd_ps(j, factor, term);
        k = _mm512_fmadd_ps(k, factor, term), l = _mm512_fmadd_ps(l, factor, term);
        // Twelve equal sums are one to a compiler that is not told that each is its own.
        asm volatile("" : "+v"(a), "+v"(b), "+v"(c), "+v"(d), "+v"(e), "+v"(f));
        asm volatile("" : "+v"(g), "+v"(h), "+v"(i), "+v"(j), "+v"(k), "+v"(l));
    }
    const __m512 left = a + b + c + d + e + f;
    const __m512 right = g + h + i + j + k + l;
    return _mm512_cvtss_f32(left + right);
}

__attribute__((target("avx2,fma"), noinline)) inline float fma_avx2(long n) {
    const __m256 factor = _mm256_set1_ps(0.5f);
    const __m256 term = _mm256_set1_ps(1.0f);
    __m256 a = term, b = term, c = term, d = term, e = term, f = term;
    __m256 g = term, h = term, i = term, j = term, k = term, l = term;
    for (; n > 0; --n) {
        a = _mm256_fmadd_ps(a, factor, term), b = _mm256_fmadd_ps(b, factor, term);
        c = _mm256_fmadd_ps(c, factor, term), d = _mm256_fmadd_ps(d, factor, term);
        e = _mm256_fmadd_ps(e, factor, term), f = _mm256_fmadd_ps(f, factor, term);
        g = _mm256_fmadd_ps(g, factor, term), h = _mm256_fmadd_ps(h, factor, term);
        i = _mm256_fmadd_ps(i, factor, term), j = _mm256_fmadd_ps(j, factor, term);
        k = _mm256_fmadd_ps(k, factor, term), l = _mm256_fmadd_ps(l, factor, term);
        asm volatile("" : "+x"(a), "+x"(b), "+x"(c), "+x"(d), "+x"(e), "+x"(f));
        asm volatile("" : "+x"(g), "+x"(h), "+x"(i), "+x"(j), "+x"(k), "+x"(l));
    }
    const __m256 left = a + b + c + d + e + f;
    const __m256 right = g + h + i + j + k + l;
    return _mm256_cvtss_f32(left + right);
}
#endif

}  // namespace detail

constexpr const char* text(untoward::InstructionSet set) {
    return set == untoward::InstructionSet::avx512 ? "AVX-512"
           : set == untoward::InstructionSet::avx2 ? "AVX2"
                                                   : "none";
}

/// GFLOP/s of multiply-adds, over one or two milliseconds; 0 where it is not known how to ask for them.
inline double fma_peak([[maybe_unused]] untoward::InstructionSet set = untoward::instruction_set()) {
#if defined(__x86_64__)
    constexpr long rounds = 1000000;
    const bool wide = set == untoward::InstructionSet::avx512;
    if (set == untoward::InstructionSet::baseline) return 0;
    const double start = thread_seconds();
    volatile float result = wide ? detail::fma_avx512(rounds) : detail::fma_avx2(rounds);
    static_cast<void>(result);
    const double seconds = thread_seconds() - start;
    return 2e-9 * (wide ? 16 : 8) * detail::chains * static_cast<double>(rounds) / seconds;
#else
    return 0;
#endif
}

}  // namespace bench
